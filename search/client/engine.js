/**
 * The search engine: answers queries from static files, wherever they come from.
 *
 * @module
 */

import { findBest } from "./best.js";
import { count, having, readColumn } from "./columns.js";
import { inYears, meeting } from "./conditions.js";
import { EngineError } from "./errors.js";
import { Files } from "./files.js";
import { marks, snippet } from "./highlight.js";
import { parseQuery, SENTENCE } from "./language.js";
import { findMeanings, findNames, findNear, lookUp } from "./lookup.js";
import { inThisForm, OTHER_SPELLING, rarity, REVERSED_NAME, Scores } from "./ranking.js";
import { readAbstract, readRow } from "./results.js";
import { Segment } from "./segment.js";
import { handle, indexWords, keyHash, titleWords } from "./words.js";

export { EngineError };

/** @typedef {import("./files.js").Store} Store */
/** @typedef {import("./language.js").ParsedQuery} ParsedQuery */
/** @typedef {import("./lookup.js").Meaning} Meaning */
/** @typedef {import("./ranking.js").Scored} Scored */

/**
 * @typedef {object} Request
 * @property {string} [query]
 * @property {Filters} [filters]
 * @property {"relevance" | "newest" | "oldest"} [sort]
 * @property {number} [offset]
 * @property {number} [limit]
 * @property {boolean} [prefix] whether the last word may be unfinished
 * @property {boolean} [complete] whether to load all postings, so that counts are exact
 * @property {string[]} [facets] names of facets to count
 * @property {boolean} [snippets] false: hits come without, see `addSnippets`
 */

/**
 * @typedef {object} Filters
 * @property {string[]} [kind]
 * @property {[number | null, number | null]} [year]
 * @property {string[]} [venue]
 * @property {string[]} [topic]
 * @property {string[]} [institution]
 * @property {string[]} [access]
 * @property {string[]} [type]
 */

/**
 * @typedef {object} Hit
 * @property {string} id
 * @property {string} type
 * @property {string} url
 * @property {string} title
 * @property {[number, number][]} titleMarks
 * @property {string[]} people
 * @property {number} peopleCount
 * @property {string} venue
 * @property {string} venueShort
 * @property {number | null} year
 * @property {string} kind
 * @property {string} doi
 * @property {string} status
 * @property {string} access
 * @property {boolean} hasAbstract whether a snippet can be made
 * @property {string} snippet
 * @property {[number, number][]} snippetMarks
 * @property {boolean} exact
 * @property {{field: string, words: string[]}[]} why
 * @property {number} score
 */

/**
 * @typedef {object} Response
 * @property {number} total
 * @property {number | null} best how many matched, where not all postings were loaded
 * @property {Hit[]} hits
 * @property {Record<string, {value: string, label: string, count: number}[]>} facets
 * @property {{year: number, count: number}[]} years
 * @property {WordReport[]} words
 * @property {string | null} suggestion
 * @property {null | {nearest: string[], each: {word: string, documents: number}[]}} nothing
 */

/**
 * @typedef {object} WordReport
 * @property {string} word
 * @property {boolean} known
 * @property {string[]} forms
 * @property {number} documents
 * @property {string | null} corrected
 */

/**
 * The postings of a word, and how much they count.
 *
 * @typedef {object} Loaded
 * @property {import("./postings.js").Postings} postings
 * @property {number} rare
 * @property {number} share
 * @property {((document: number) => number) | undefined} also
 */

const FACETS = ["kind", "year", "venue", "topic", "institution", "access", "type"];
const WINDOW = 10;
const MOST_HITS = 1000;
const BLOCK_BUDGET = 100_000;

/**
 * Open the index of each store: the public one first, then the members' if there is one.
 *
 * @param {Store[]} stores
 * @param {{withdrawn?: Set<string>}} [options] ids of records that must not show
 * @returns {Promise<Engine>}
 */
export async function openEngine(stores, { withdrawn = new Set() } = {}) {
  const all = stores.map((store) => new Files(store));
  const manifests = await Promise.all(all.map((files) => files.open()));
  const segments = manifests.flatMap((manifest, i) =>
    manifest.segments.map((/** @type {any} */ entry) => new Segment(all[i], entry)),
  );
  return new Engine(segments, withdrawn);
}

export class Engine {
  /**
   * @param {Segment[]} segments the oldest first
   * @param {Set<string>} withdrawn
   */
  constructor(segments, withdrawn) {
    this.segments = segments;
    this.withdrawn = withdrawn;
    this.documents = segments.reduce((sum, { living }) => sum + living, 0);
    this.sheets = segments.map(({ documents }) => new Scores(documents));
    /** @type {Promise<void> | null} */
    this.burying = null;
  }

  /**
   * @param {string} query
   * @returns {ParsedQuery}
   */
  parse(query) {
    return parseQuery(query);
  }

  /**
   * @param {Request} request
   * @returns {Promise<Response>}
   */
  async search(request) {
    const { offset = 0, limit = 10, snippets = true, facets = [] } = request;
    const found = await this.match(request);
    const [hits, counted] = await Promise.all([
      this.hits(found, offset, Math.min(offset + limit, MOST_HITS)),
      this.count(found, facets),
    ]);
    if (snippets) await this.addSnippets(hits);
    const { meanings, total, best } = found;
    return {
      total,
      best,
      hits,
      ...counted,
      words: meanings.map((meaning) => this.report(meaning)),
      suggestion: suggest(found.query, meanings),
      nothing: total || !meanings.length ? null : await this.explain(meanings),
    };
  }

  /**
   * Hits of the list that `search` shows a page of, without marks, reasons and snippets.
   *
   * @param {Request} request
   * @param {number} from
   * @param {number} to
   * @returns {Promise<Hit[]>}
   */
  async records(request, from, to) {
    return this.hits(await this.match(request), from, Math.min(to, MOST_HITS), false);
  }

  /**
   * Give hits that came without snippets theirs.
   *
   * @param {Hit[]} hits
   * @returns {Promise<Hit[]>} the same hits
   */
  async addSnippets(hits) {
    await Promise.all(
      hits.map(async (hit) => {
        const origin = origins.get(hit);
        if (!origin || hit.snippet) return;
        const abstract = await readAbstract(origin.segment, origin.row);
        if (!abstract) return;
        const part = snippet(abstract, origin.isWanted);
        hit.snippet = part.text;
        hit.snippetMarks = part.marks;
        const words = matchedWords(abstract, origin.isWanted);
        if (words.length) hit.why.push({ field: "abstract", words });
      }),
    );
    return hits;
  }

  /**
   * The documents that answer a request, all of them, with their scores.
   *
   * @param {Request} request
   */
  async match({ query: text = "", filters = {}, sort = "relevance", prefix, complete }) {
    const query = parseQuery(text);
    const [meanings, allowed, chosen, exact] = await Promise.all([
      findMeanings(this.segments, query.words, prefix ? query.last : ""),
      this.allowed(query),
      this.filtered(filters),
      this.named(query.text),
      this.bury(),
    ]);
    const names = await findNames(this.segments, query.words, meanings);
    const loaded = await this.load(query, meanings, names, complete ?? false);
    const browses = !query.words.length && (query.conditions.length > 0 || !query.text.trim());
    const everything = browses || query.everything;
    const all = this.score(meanings, names, loaded, (i) => {
      const { dead } = this.segments[i];
      const mask = allowed?.[i];
      return {
        everything,
        exact: exact[i],
        isAllowed: (number) => !dead[number] && (!mask || mask[number] === 1),
      };
    });
    const shown = all.map((part, i) => narrow(part, Object.values(chosen).map((c) => c[i])));
    const total = shown.reduce((sum, { numbers }) => sum + numbers.length, 0);
    const order = query.words.length || exact.some((some) => some.size) ? sort : newest(sort);
    return {
      query, meanings, all, shown, chosen, exact, total, sort: order,
      best: loaded.isWhole ? null : total,
      isWanted: this.wanted(meanings),
    }; // prettier-ignore
  }

  /**
   * The postings that answer a query.
   *
   * @param {ParsedQuery} query
   * @param {Meaning[]} meanings
   * @param {import("./lookup.js").Known[]} names of two of the words
   * @param {boolean} complete
   */
  async load(query, meanings, names, complete) {
    const together = names.map((known) => ({
      word: known.form,
      known,
      others: [],
      share: isReversed(known.form, query.words) ? REVERSED_NAME : 1,
    }));
    const plan = this.plan(query, [...meanings, ...together], complete);
    const postings = await Promise.all(
      plan.map(({ segment, list, blocks }) => this.segments[segment].postings(list, blocks)),
    );
    /** @type {Map<string, Loaded[]>[]} */
    const lists = this.segments.map(() => new Map());
    plan.forEach(({ word, segment, rare, share, also }, i) => {
      const entry = { postings: postings[i], rare, share, also };
      const own = lists[segment].get(word);
      if (own) own.push(entry);
      else lists[segment].set(word, [entry]);
    });
    return {
      lists,
      isWhole: plan.every(({ list, blocks }) => blocks === list.more.length),
    };
  }

  /**
   * What was found in each segment. All at once: the sheets on which scores are added up are
   * the same for every query.
   *
   * @param {Meaning[]} meanings
   * @param {import("./lookup.js").Known[]} names
   * @param {Awaited<ReturnType<Engine["load"]>>} loaded
   * @param {(segment: number) => {everything: boolean, exact: Set<number>,
   *   isAllowed: (number: number) => boolean}} termsOf
   */
  score(meanings, names, { lists }, termsOf) {
    return this.segments.map((_, i) => {
      const sheet = this.sheets[i];
      const add = (/** @type {string} */ word, /** @type {number} */ repeats, isWord = true) => {
        for (const { postings, rare, share, also } of lists[i].get(word) ?? []) {
          sheet.add(postings, rare, share, also);
        }
        sheet.endWord(repeats, isWord);
      };
      for (const { word, repeats } of meanings) add(word, repeats);
      for (const { form } of names) add(form, 1, false);
      const { isAllowed, ...rest } = termsOf(i);
      return sheet.take({ words: meanings.length, ...rest }, isAllowed);
    });
  }

  /**
   * Which lists to load for which words, and how far.
   *
   * @param {ParsedQuery} query
   * @param {(Pick<Meaning, "word" | "known" | "others"> & {share?: number})[]} meanings
   * @param {boolean} complete
   */
  plan(query, meanings, complete) {
    const plan = meanings.flatMap(({ word, known, others, share: whole = 1 }) =>
      [{ known, share: whole }, ...others].flatMap(({ known, share, ...rest }) => {
        const atLeast = "atLeast" in rest ? rest.atLeast ?? 0 : 0;
        const frequency = Math.max(known.inText + known.inNames, atLeast);
        const rare = rarity(this.documents, frequency);
        return known.terms.flatMap((term, segment) => {
          const also = share === 1 ? spelt(term, query.spellings.get(word)) : undefined;
          const entry = { word, segment, share, also };
          return [
            ...(term?.text ? [{ ...entry, list: term.text, rare, blocks: 0 }] : []),
            ...(term?.names ? [{ ...entry, list: term.names, rare, blocks: 0 }] : []),
          ];
        });
      }),
    );
    // Further blocks of long lists, those first that can move a document most.
    const blocks = plan.flatMap((entry) =>
      entry.list.more.map((_, i) => ({
        entry,
        i,
        gain: entry.list.tops[i] * entry.rare * entry.share,
        size: entry.list.sizes[i],
      })),
    );
    blocks.sort((a, b) => b.gain - a.gain || a.i - b.i);
    let budget = complete ? Number.POSITIVE_INFINITY : BLOCK_BUDGET;
    for (const { entry, i, size } of blocks) {
      if (entry.blocks !== i || size > budget) continue;
      entry.blocks++;
      budget -= size;
    }
    return plan;
  }

  /**
   * For each segment a mark for each document that meets all conditions; null for none.
   *
   * In a sentence, phrases that no document has are only words.
   *
   * @param {ParsedQuery} query
   * @returns {Promise<Uint8Array[] | null>}
   */
  async allowed({ conditions, words }) {
    const masks = await this.meeting(conditions);
    if (!masks || masks.some((mask) => mask.includes(1))) return masks;
    const others = conditions.filter((condition) => !isPhrase(condition));
    const quoted = new Set(conditions.filter(isPhrase).flatMap(({ text }) => indexWords(text)));
    if (words.filter((word) => !quoted.has(word)).length <= SENTENCE) return masks;
    return others.length < conditions.length ? this.meeting(others) : masks;
  }

  /**
   * @param {import("./language.js").Condition[]} conditions
   * @returns {Promise<Uint8Array[] | null>}
   */
  async meeting(conditions) {
    if (!conditions.length) return null;
    return Promise.all(
      this.segments.map(async (segment) => {
        const mask = new Uint8Array(segment.documents).fill(1);
        const all = await Promise.all(conditions.map((condition) => meeting(segment, condition)));
        all.forEach((meets, i) => {
          const { negated } = conditions[i];
          for (let number = 0; number < mask.length; number++) {
            if (negated === Boolean(meets[number]) || segment.dead[number]) mask[number] = 0;
          }
        });
        return mask;
      }),
    );
  }

  /**
   * For each facet with a filter, for each segment, a mark for each document that passes.
   *
   * @param {Filters} filters
   * @returns {Promise<Record<string, Uint8Array[]>>}
   */
  async filtered(filters) {
    /** @type {Record<string, Uint8Array[]>} */
    const chosen = {};
    await Promise.all(
      FACETS.map(async (name) => {
        const values = filters[/** @type {keyof Filters} */ (name)];
        if (!values?.length || values.every((value) => value === null)) return;
        const accepts =
          name === "year"
            ? inYears(/** @type {[number | null, number | null]} */ (values))
            : (/** @type {string} */ value) => /** @type {string[]} */ (values).includes(value);
        chosen[name] = await Promise.all(
          this.segments.map(async (segment) =>
            having(await readColumn(segment, name), accepts, segment.documents),
          ),
        );
      }),
    );
    return chosen;
  }

  /**
   * The documents whose id or DOI the text is.
   *
   * @param {string} text
   * @returns {Promise<Set<number>[]>}
   */
  async named(text) {
    const name = handle(text);
    const looksSo = /\d/.test(name) && /[^\p{L}]/u.test(name) && !/\s/.test(text.trim());
    return Promise.all(
      this.segments.map(async (segment) => {
        if (!name || (!looksSo && !TYPED_ID.test(name) && indexWords(text).length)) {
          return new Set();
        }
        const keys = new Set([name, name.replace(TYPED_ID, "")].map(keyHash));
        const found = await Promise.all([...keys].map((key) => segment.documentsWithKey(key)));
        return new Set(found.flat());
      }),
    );
  }

  /** Treat withdrawn records as dead. */
  bury() {
    this.burying ??= Promise.all(
      [...this.withdrawn].slice(0, 500).flatMap((id) => {
        const key = keyHash(handle(id.slice(id.indexOf(":") + 1)));
        return this.segments.map(async (segment) => {
          for (const number of await segment.documentsWithKey(key)) {
            const { id: found } = await readRow(segment, number);
            if (found === id) segment.dead[number] = 1;
          }
        });
      }),
    ).then(() => {});
    this.burying.catch(() => {
      this.burying = null;
    });
    return this.burying;
  }

  /**
   * @param {Awaited<ReturnType<Engine["match"]>>} found
   * @param {number} from
   * @param {number} to
   * @param {boolean} [marked] whether to say where the words stand
   * @returns {Promise<Hit[]>}
   */
  async hits(found, from, to, marked = true) {
    const { query, sort, isWanted } = found;
    const window = sort === "relevance" && query.words.length && from < WINDOW ? WINDOW : 0;
    const start = window ? 0 : from;
    const best = await findBest(this.segments, found, Math.max(to, window));
    const ranked = best.slice(start);
    const title = titleWords(query.text);
    const rows = await Promise.all(
      ranked.map(async ({ segment, number, score, exact }, i) => {
        const row = await readRow(this.segments[segment], number);
        const same = i < window && title !== "" && titleWords(row.title) === title;
        const order = i < window ? asWritten(score, row, found.meanings) : score;
        return { row, segment, score, exact: exact || same, same, order };
      }),
    );
    const first = rows.slice(0, window).sort((a, b) => b.order - a.order);
    const ordered = [
      ...first.filter(({ exact, same }) => exact && !same),
      ...first.filter(({ row, same }) => same && row.type === "publication"),
      ...first.filter(({ row, same }) => same && row.type !== "publication"),
      ...first.filter(({ exact, same }) => !exact && !same),
      ...rows.slice(window),
    ];
    return ordered
      .slice(from - start, to - start)
      .filter(({ row }) => !this.withdrawn.has(row.id))
      .map(({ row, segment, score, exact }) => {
        const { abstract, ...shown } = row;
        /** @type {Hit} */
        const hit = {
          ...shown,
          titleMarks: marked ? marks(row.title, isWanted) : [],
          hasAbstract: Boolean(abstract),
          snippet: "",
          snippetMarks: [],
          exact,
          why: marked ? reasons(row, isWanted) : [],
          score: score / 1000,
        };
        origins.set(hit, { segment: this.segments[segment], row, isWanted });
        return hit;
      });
  }

  /**
   * @param {Awaited<ReturnType<Engine["match"]>>} found
   * @param {string[]} wanted
   */
  async count({ all, chosen }, wanted) {
    /** @type {Record<string, {value: string, label: string, count: number}[]>} */
    const facets = {};
    await Promise.all(
      FACETS.filter((name) => wanted.includes(name)).map(async (name) => {
        const others = Object.keys(chosen).filter((other) => other !== name);
        /** @type {Map<string, {value: string, label: string, count: number}>} */
        const counts = new Map();
        const columns = await Promise.all(
          this.segments.map((segment) => readColumn(segment, name)),
        );
        columns.forEach((column, i) => {
          const { numbers } = narrow(all[i], others.map((other) => chosen[other][i]));
          count(column, numbers, this.segments[i].documents, counts);
        });
        facets[name] = [...counts.values()].sort(
          (a, b) => b.count - a.count || (a.label < b.label ? -1 : 1),
        );
      }),
    );
    const years = (facets.year ?? [])
      .map(({ value, count }) => ({ year: Number(value), count }))
      .sort((a, b) => a.year - b.year);
    return { facets, years };
  }

  /**
   * @param {Meaning} meaning
   * @returns {WordReport}
   */
  report({ word, known, others, corrected }) {
    const forms = new Set([word, ...others.map((other) => other.known.form)]);
    const documents = known.inText + known.inNames;
    return { word, known: documents > 0, forms: [...forms], documents, corrected };
  }

  /**
   * Whether a word of a text is one that the query is about.
   *
   * @param {Meaning[]} meanings
   * @returns {(word: string) => boolean}
   */
  wanted(meanings) {
    const forms = new Set();
    for (const { word, known, others } of meanings) {
      forms.add(word);
      for (const { form, terms } of [known, ...others.map((other) => other.known)]) {
        forms.add(form);
        terms.forEach((term, i) => {
          if (term) for (const other of this.segments[i].formsLike(term)) forms.add(other);
        });
      }
    }
    return (word) => forms.has(word);
  }

  /** @param {Meaning[]} meanings */
  async explain(meanings) {
    const unknown = meanings.filter(({ known }) => !known.inText && !known.inNames).slice(0, 5);
    const near = await Promise.all(unknown.map(({ word }) => findNear(this.segments, word)));
    return {
      nearest: near.flat().map(({ form }) => form).slice(0, 8),
      each: meanings.map(({ word, known }) => ({
        word,
        documents: known.inText + known.inNames,
      })),
    }; // prettier-ignore
  }

  /**
   * How many documents a word alone would find.
   *
   * @param {string} word
   */
  async documentsWith(word) {
    const { inText, inNames } = await lookUp(this.segments, word);
    return inText + inNames;
  }
}

const TYPED_ID = /^(?:publication|person|project|event|venue|topic|institution):/;

/** @type {WeakMap<Hit, {segment: Segment, row: any, isWanted: (word: string) => boolean}>} */
const origins = new WeakMap();

/**
 * The documents that are marked in all masks.
 *
 * @param {Scored} part
 * @param {Uint8Array[]} masks
 * @returns {Scored}
 */
function narrow({ numbers, scores }, masks) {
  if (!masks.length) return { numbers, scores };
  const passes = (/** @type {number} */ number) => masks.every((mask) => mask[number]);
  return {
    numbers: numbers.filter(passes),
    scores: scores.filter((_, i) => passes(numbers[i])),
  };
}

/** @param {import("./language.js").Condition} condition */
function isPhrase({ field, phrase, negated }) {
  return phrase && !field && !negated;
}

/** @param {"relevance" | "newest" | "oldest"} sort */
function newest(sort) {
  return sort === "relevance" ? "newest" : sort;
}

/**
 * What a document counts less for that writes a word with other accents.
 *
 * @param {import("./segment.js").Term | null} term
 * @param {string | undefined} spelling how the query writes it
 */
function spelt(term, spelling) {
  if (!term?.spellings.size) return undefined;
  const same = new Set(spelling ? term.spellings.get(spelling) : []);
  const other = new Set(spelling ? [] : [...term.spellings.values()].flat());
  return (/** @type {number} */ document) => {
    const isSame = spelling ? same.has(document) : !other.has(document);
    return isSame ? 1 : OTHER_SPELLING;
  };
}

/**
 * @param {string} pair
 * @param {string[]} words
 */
function isReversed(pair, words) {
  const [one, other] = pair.split(" ");
  return !words.some((word, i) => word === one && words[i + 1] === other);
}

/**
 * The score of one of the best documents, more if title or names have the words as written.
 *
 * @param {number} score
 * @param {any} row
 * @param {Meaning[]} meanings
 */
function asWritten(score, { title, people }, meanings) {
  const words = new Set([title, ...people].flatMap(indexWords));
  const same = meanings.filter((meaning) => writings(meaning).some((word) => words.has(word)));
  return inThisForm(score, same.length, meanings.length);
}

/**
 * A word as the query writes it; an unknown one as it was probably meant.
 *
 * @param {Meaning} meaning
 */
function writings({ word, known, others }) {
  return known.inText || known.inNames ? [word] : others.map((other) => other.known.form);
}

/**
 * @param {ParsedQuery} query
 * @param {Meaning[]} meanings
 */
function suggest({ text }, meanings) {
  const corrected = new Map(
    meanings.flatMap(({ word, corrected }) => (corrected ? [[word, corrected]] : [])),
  );
  if (!corrected.size) return null;
  return text.replace(/[\p{L}\p{N}\p{M}]+/gu, (chunk) => {
    const words = indexWords(chunk);
    return (words.length === 1 && corrected.get(words[0])) || chunk;
  });
}

/**
 * @param {any} row
 * @param {(word: string) => boolean} isWanted
 */
function reasons({ title, people, venue, venueShort, year }, isWanted) {
  const fields = {
    title,
    people: people.join(" "),
    venue: `${venueShort} ${venue}`,
    year: String(year ?? ""),
  };
  return Object.entries(fields).flatMap(([field, text]) => {
    const words = matchedWords(text, isWanted);
    return words.length ? [{ field, words }] : [];
  });
}

/**
 * @param {string} text
 * @param {(word: string) => boolean} isWanted
 */
function matchedWords(text, isWanted) {
  return [...new Set(indexWords(text).filter(isWanted))];
}
