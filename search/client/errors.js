/**
 * What can go wrong between the reader and the index, in words for people.
 *
 * @module
 */

/** @typedef {"unavailable" | "damaged" | "mismatch"} ErrorKind */

const WORDS = {
  unavailable: "The search index cannot be reached just now.",
  damaged: "The search index arrived damaged.",
  mismatch: "The site has been published anew since this page was opened.",
};

export class EngineError extends Error {
  /**
   * @param {ErrorKind} kind
   * @param {string} [message]
   */
  constructor(kind, message) {
    super(message ?? WORDS[kind]);
    this.name = "EngineError";
    this.kind = kind;
  }
}
