// Reads a JSON list of texts and writes what the client makes of each.
import { readFileSync } from "node:fs";
import {
    handle,
    indexWords,
    keyHash,
    spellings,
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
    spellings: spellings(text),
}));
process.stdout.write(JSON.stringify(made));
