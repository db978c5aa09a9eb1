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
