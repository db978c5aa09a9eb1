/**
 * An index as files of a folder, for Node.
 *
 * @module
 */

import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "../client/errors.js";

/**
 * @param {string} folder
 * @returns {import("../client/files.js").Store}
 */
export function folderStore(folder) {
  return {
    async fetchBytes(path) {
      try {
        const bytes = await readFile(join(folder, path));
        return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
      } catch {
        throw new EngineError("unavailable");
      }
    },
    async fetchRange(path, from, to) {
      const file = await open(join(folder, path)).catch(() => {
        throw new EngineError("unavailable");
      });
      try {
        const { buffer, bytesRead } = await file.read(new Uint8Array(to - from), 0, to - from, from);
        return buffer.buffer.slice(0, bytesRead);
      } finally {
        await file.close();
      }
    },
  };
}
