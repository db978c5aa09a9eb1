/**
 * Elements made from text: nothing is ever parsed as markup.
 *
 * @module
 */

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @param {string} name
 * @param {Record<string, string | null | undefined> | null} attributes null values are left out
 * @param {...Child} children
 */
export function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined) made.setAttribute(key, value);
  }
  for (const child of children) if (child) made.append(child);
  return made;
}

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 * @param {...(Node | string)} children
 */
export function drawing(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * Make a place hold these nodes: what is the same already stays, so that the browser need not
 * lay it out again.
 *
 * @param {Element} place
 * @param {Node[]} nodes
 */
export function renew(place, nodes) {
  nodes.forEach((node, i) => {
    const there = place.childNodes[i];
    if (!there) place.append(node);
    else if (!there.isEqualNode(node)) become(there, node);
  });
  while (place.childNodes.length > nodes.length) place.lastChild?.remove();
}

/**
 * @param {ChildNode} there
 * @param {Node} node
 */
function become(there, node) {
  if (!(there instanceof HTMLElement) || there.nodeName !== node.nodeName) {
    there.replaceWith(node);
    return;
  }
  const { attributes } = /** @type {HTMLElement} */ (node);
  for (const { name } of [...there.attributes]) {
    if (!attributes.getNamedItem(name)) there.removeAttribute(name);
  }
  for (const { name, value } of attributes) {
    if (there.getAttribute(name) !== value) there.setAttribute(name, value);
  }
  renew(there, [...node.childNodes]);
}

/**
 * A text with some of its parts marked.
 *
 * @param {string} text
 * @param {[number, number][]} marks first and behind last character, rising
 * @returns {Node[]}
 */
export function marked(text, marks) {
  const nodes = [];
  let at = 0;
  for (const [start, end] of marks) {
    if (start < at || end <= start || end > text.length) continue;
    if (start > at) nodes.push(document.createTextNode(text.slice(at, start)));
    nodes.push(element("mark", null, text.slice(start, end)));
    at = end;
  }
  if (at < text.length) nodes.push(document.createTextNode(text.slice(at)));
  return nodes;
}

/**
 * A text with a link in place of each `{}`.
 *
 * @param {string} pattern
 * @param {...Node} nodes
 * @returns {(Node | string)[]}
 */
export function sentence(pattern, ...nodes) {
  return pattern.split("{}").flatMap((text, i) => (i ? [nodes[i - 1], text] : [text]));
}

/**
 * @param {string} text
 */
export function unseen(text) {
  return element("span", { class: "vh" }, text);
}
