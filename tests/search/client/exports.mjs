// Writes lists in every format: reads [hits, …], answers [{csv, bib, ris, json}, …].
import { readFileSync } from "node:fs";
import { FORMATS } from "../../../search/client/formats.js";

const lists = JSON.parse(readFileSync(0, "utf8"));
const origin = {
    address: "https://press.example/search/?q=x",
    site: "https://press.example",
    name: "Press",
    query: "x",
    total: 3,
};
process.stdout.write(
    JSON.stringify(
        lists.map((hits) =>
            Object.fromEntries(FORMATS.map(({ ending, write }) => [ending, write(hits, origin)])),
        ),
    ),
);
