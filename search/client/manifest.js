/**
 * The one file of an index whose name is always the same: by it the index is opened.
 *
 * @module
 */

export const MANIFEST = "manifest.json";
