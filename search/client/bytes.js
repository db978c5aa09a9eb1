/**
 * The bytes of the index's files, as search/encoding.py writes them.
 *
 * @module
 */

import { EngineError } from "./errors.js";

const utf8 = new TextDecoder();

/**
 * The content of a sealed file, still compressed. A file cut short, damaged or another one's is refused.
 *
 * @param {string} path
 * @param {ArrayBuffer} buffer
 */
export function unseal(path, buffer) {
  const bytes = new Uint8Array(buffer);
  if (bytes.length < 4) throw new EngineError("damaged");
  let a = 1;
  let b = 0;
  for (let i = 0; i < path.length; i++) {
    a = (a + path.charCodeAt(i)) % 65521;
    b = (b + a) % 65521;
  }
  for (let i = 4; i < bytes.length; ) {
    // Sums of so many bytes stay exact without a remainder.
    for (const end = Math.min(i + 3000, bytes.length); i < end; i++) {
      a += bytes[i];
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  const sum = bytes[0] + bytes[1] * 256 + (bytes[2] + bytes[3] * 256) * 65536;
  if (sum !== b * 65536 + a) throw new EngineError("damaged");
  return bytes.subarray(4);
}

/**
 * What the index's files hold: all of it is compressed by the program that made them.
 *
 * @param {...Uint8Array} parts
 * @returns {Promise<Uint8Array>}
 */
export async function inflate(...parts) {
  if (typeof DecompressionStream === "undefined") {
    throw new EngineError("unavailable", "This browser is too old for the search.");
  }
  try {
    // Written by hand: a Blob of the same bytes takes Chromium ten times as long.
    const { readable, writable } = new DecompressionStream("deflate");
    const writer = writable.getWriter();
    // What is wrong with the bytes comes out at the other end.
    for (const part of parts) writer.write(/** @type {any} */ (part)).catch(() => {});
    writer.close().catch(() => {});
    return new Uint8Array(await new Response(readable).arrayBuffer());
  } catch {
    throw new EngineError("damaged");
  }
}

/**
 * What was compressed as if `before` came first: here it does, as a block that is stored.
 *
 * @param {Uint8Array} before at most 65,535 bytes
 * @param {Uint8Array} bytes
 */
export async function inflateAfter(before, bytes) {
  const { length } = before;
  const head = [0x78, 1, 0, length, length >> 8, ~length, ~length >> 8];
  return (await inflate(Uint8Array.from(head), before, bytes)).subarray(length);
}

/** @param {Uint8Array} bytes */
export function textOf(bytes) {
  return utf8.decode(bytes);
}

/** @param {Uint8Array} bytes */
export function jsonOf(bytes) {
  try {
    return JSON.parse(textOf(bytes));
  } catch {
    throw new EngineError("damaged");
  }
}

/** Reads numbers and texts, one after the other. */
export class Reader {
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  get done() {
    return this.at >= this.bytes.length;
  }

  byte() {
    if (this.at >= this.bytes.length) throw new EngineError("damaged");
    return this.bytes[this.at++];
  }

  number() {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.byte();
      value += (byte & 127) * scale;
      if (byte < 128) return value;
      scale *= 128;
    }
  }

  /** @param {number} length */
  part(length) {
    const end = this.at + length;
    if (end > this.bytes.length) throw new EngineError("damaged");
    const bytes = this.bytes.subarray(this.at, end);
    this.at = end;
    return bytes;
  }

  sized() {
    return this.part(this.number());
  }

  text() {
    return textOf(this.sized());
  }

  steps() {
    const numbers = new Array(this.number());
    let number = 0;
    for (let i = 0; i < numbers.length; i++) {
      number += this.number();
      numbers[i] = number;
    }
    return numbers;
  }
}

/**
 * Sorted words from lines that leave out what they share with the one before.
 *
 * @param {string} text
 */
export function frontCoded(text) {
  if (!text) return [];
  let before = "";
  return text.split("\n").map((line) => {
    before = before.slice(0, line.charCodeAt(0) - 48) + line.slice(1);
    return before;
  });
}

/**
 * The position of the last of sorted texts that does not come after `text`; -1 for none.
 *
 * @param {string[]} sorted
 * @param {string} text
 */
export function lastNotAfter(sorted, text) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= text) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
