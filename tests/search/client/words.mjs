// Reads a JSON list of texts and writes what the client makes of each.
import { readFileSync } from "node:fs";
import {
    handle,
    keyHash,
    indexWords,
    splitWords,
    titleWords,
} from "../../../search/client/words.js";

const texts = JSON.parse(readFileSync(0, "utf8"));
const made = texts.map((text) => ({
    split: splitWords(text),
    index: indexWords(text),
    title: titleWords(text),
    handle: handle(text),
    hash: keyHash(text),
}));
process.stdout.write(JSON.stringify(made));
