/**
 * Names of people as citation managers want them: family name first.
 *
 * The index holds names as they are printed, so this is a guess; it errs on the side of
 * leaving a name whole.
 *
 * @module
 */

const PARTICLE =
  /^(?:da|das|de|dei|del|della|den|der|di|do|dos|du|el|la|le|ten|ter|van|vom|von|zu|zur|’t|'t)$/iu;
const SUFFIX = /^(?:jr|sr|ii|iii|iv)\.?$/iu;
const LATIN = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{M}\p{P}\p{Zs}\p{Lm}]+$/u;

/**
 * @typedef {object} Name
 * @property {string} family
 * @property {string} given empty where the name cannot be divided
 * @property {string} suffix such as `Jr.`
 */

/**
 * @param {string} printed
 * @returns {Name}
 */
export function divideName(printed) {
  const text = printed.replace(/\s+/gu, " ").trim();
  const [before, after, ...rest] = text.split(/\s*,\s*/u);
  if (after !== undefined && !rest.length) {
    return SUFFIX.test(after)
      ? { ...divideName(before), suffix: after }
      : { family: before, given: after, suffix: "" };
  }
  const words = text.split(" ");
  if (words.length < 2 || !LATIN.test(text)) return { family: text, given: "", suffix: "" };
  let suffix = "";
  if (words.length > 2 && SUFFIX.test(words[words.length - 1])) suffix = words.pop() ?? "";
  let start = words.length - 1;
  while (start > 1 && PARTICLE.test(words[start - 1]) && isLower(words[start - 1])) start--;
  return { family: words.slice(start).join(" "), given: words.slice(0, start).join(" "), suffix };
}

/**
 * @param {string} printed
 * @returns {string} `Family, Given`, or `Family, Given, Jr.`
 */
export function familyFirst(printed) {
  const { family, given, suffix } = divideName(printed);
  return [family, given, suffix].filter(Boolean).join(", ");
}

/** @param {string} word */
function isLower(word) {
  return word === word.toLowerCase();
}
