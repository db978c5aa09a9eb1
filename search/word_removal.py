"""Take documents out of a segment's words: posting lists, positions, spellings, vocabulary."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from search.dictionary import (
    POSITIONS_TOGETHER,
    change_groups,
    decode_vocabulary,
    encode_vocabulary,
    level_of,
    read_groups,
    separator,
    worth_a_slip,
)
from search.encoding import Reader, from_front_coded, front_coded, order, sized
from search.schema import STEMS
from search.terms import (
    Head,
    PostingList,
    Term,
    decode_head,
    decode_terms,
    encode_head,
    encode_terms,
)
from search.trimming import without, without_places
from search.words import index_words


class Files(Protocol):
    """Files by their paths."""

    def read(self, path: str) -> bytes: ...
    def write(self, path: str, content: bytes) -> None: ...


@dataclass(slots=True)
class Lost:
    """What a segment loses with the documents that go."""

    texts: dict[str, list[int]] = field(default_factory=dict)
    """Stem → documents, rising, …"""
    names: dict[str, list[int]] = field(default_factory=dict)
    """… word of names, …"""
    spellings: dict[str, list[int]] = field(default_factory=dict)
    """… spelling with accents."""
    unused: set[str] = field(default_factory=set)
    """Words, as they are written, that no document has any more."""


def remove_words(
    files: Files, directory: dict[str, Any], groups_file: Path, lost: Lost
) -> dict[str, Any]:
    """Have the files say nothing of what is lost, and return the directory as it is then."""
    words = {*lost.names, *lost.unused, *(index_words(each)[0] for each in lost.spellings)}
    groups = read_groups(groups_file, {*lost.texts, *(STEMS[word] for word in words)})
    removal = _Removal(files, directory, groups, lost)
    changed = removal.run()
    if removal.regrouped:
        change_groups(groups_file, removal.regrouped)
    return {**directory, **changed}


class _Removal:
    def __init__(
        self, files: Files, directory: dict[str, Any], groups: dict[str, list[str]], lost: Lost
    ) -> None:
        self.files = files
        self.lost = lost
        self.groups = groups
        self.regrouped: dict[str, list[str]] = {}
        """Stem → forms, where there are fewer."""
        self.head_forms = [forms.split(" ") for forms in directory["heads"]]
        self.head_of = {forms[0]: i for i, forms in enumerate(self.head_forms)}
        self.heads = _Heads(files, self.head_forms)
        self.terms = _Terms(files, from_front_coded(directory["firsts"]))
        self.vocabularies = [
            _Vocabulary(files, name, from_front_coded(directory[name])) for name in ("v", "w")
        ]
        self.removed: dict[str, int] = {}
        """Form → how many documents less have it."""

    def run(self) -> dict[str, Any]:
        for stem, documents in self.lost.texts.items():
            self._remove_text(stem, documents)
        for word, documents in self.lost.names.items():
            term = self._term(word)
            if term.names is None:
                raise ValueError(f"{word!r} is no name")
            term.names = _trimmed(term.names, documents)
            self.removed[word] = self.removed.get(word, 0) + len(documents)
        for spelling, documents in self.lost.spellings.items():
            spellings = self._term(index_words(spelling)[0]).spellings
            left = [number for number in spellings[spelling] if number not in documents]
            if left:
                spellings[spelling] = left
            else:
                del spellings[spelling]
        levels = self._levels()
        for form in sorted(self.lost.unused):
            self._drop(form)
        self.heads.save()
        firsts = self.terms.save()
        for vocabulary in self.vocabularies:
            vocabulary.change(levels)
        return {
            "heads": [" ".join(forms) for forms in self.head_forms],
            "firsts": front_coded(firsts),
            **{v.folder: front_coded(v.firsts) for v in self.vocabularies},
        }

    def _forms(self, stem: str) -> list[str]:
        return self.groups.get(stem, [])

    def _term(self, form: str) -> Term:
        head = self.head_of.get(self._forms(STEMS[form])[0])
        return self.terms[form] if head is None else self.heads.form(head, form)

    def _remove_text(self, stem: str, documents: list[int]) -> None:
        forms = self._forms(stem)
        head = self.head_of.get(forms[0])
        if head is not None:
            self.heads.trim(head, documents)
        else:
            owner = self.terms[forms[0]]
            if owner.text is None:
                raise ValueError(f"{stem!r} has no postings")
            owner.text = _trimmed(owner.text, documents)
            if owner.text is None:
                for form in forms[1:]:
                    self.terms[form].owner = None
        for form in forms:
            self.removed[form] = self.removed.get(form, 0) + len(documents)

    def _drop(self, form: str) -> None:
        """Take out a form that no document has any more."""
        stem = STEMS[form]
        forms = self._forms(stem)
        if form not in forms:
            return
        head = self.head_of.get(forms[0])
        others = [other for other in forms if other != form]
        if head is not None:
            self.heads.drop(head, form)
            self.head_forms[head].remove(form)
            if form == forms[0]:
                del self.head_of[form]
                self.head_of[others[0]] = head
        else:
            gone = self.terms.drop(form)
            if gone.text and others:
                self.terms[others[0]].text = gone.text
                self.terms[others[0]].owner = None
                for other in others[1:]:
                    self.terms[other].owner = others[0]
        self.groups[stem] = self.regrouped[stem] = others

    def _levels(self) -> dict[str, int | None]:
        """Return form → its new level in the vocabulary, None to take it out, if it changes."""
        levels: dict[str, int | None] = {}
        for form, less in self.removed.items():
            stem = STEMS[form]
            head = self.head_of.get(self._forms(stem)[0])
            term = self._term(form)
            now = term.names.frequency if term.names else 0
            if head is not None:
                now += self.heads[head].frequency
            else:
                owner = self.terms[self._forms(stem)[0]]
                now += owner.text.frequency if owner.text else 0
            before = level_of(now + less) if worth_a_slip(form, now + less) else None
            after = level_of(now) if worth_a_slip(form, now) else None
            if before != after:
                levels[form] = after
        return levels


def _trimmed(found: PostingList, documents: list[int]) -> PostingList | None:
    content, places, _ = without(found.content, documents)
    if len(places) != len(documents):
        raise ValueError("a document is not where its words say it is")
    if len(places) == found.frequency:
        return None
    positions = without_places(found.positions, places)
    return PostingList(found.frequency - len(places), content, positions)


class _Heads:
    """The frequent words whose files change."""

    def __init__(self, files: Files, forms: list[list[str]]) -> None:
        self.files = files
        self.forms = forms
        self._heads: dict[int, tuple[Head, list[tuple[int, int]]]] = {}

    def __getitem__(self, i: int) -> Head:
        if i not in self._heads:
            self._heads[i] = decode_head(
                self.files.read(f"h/{i}"), self.files.read(f"q/{i}"), self.forms[i]
            )
        return self._heads[i][0]

    def form(self, i: int, form: str) -> Term:
        return next(term for term in self[i].forms if term.form == form)

    def drop(self, i: int, form: str) -> None:
        self[i].forms = [term for term in self[i].forms if term.form != form]

    def trim(self, i: int, documents: list[int]) -> None:
        head = self[i]
        more = self._heads[i][1]
        top, content = head.blocks[0]
        content, places, before = without(content, documents)
        head.blocks[0] = (top, content)
        for k in range(len(more)):
            if len(places) == len(documents):
                break
            block, found, count = without(self.files.read(f"h/{i}-{k + 1}"), documents)
            if found:
                places += [before + place for place in found]
                self.files.write(f"h/{i}-{k + 1}", block)
                more[k] = (block[0] if block else 0, len(block))
            before += count
        if len(places) != len(documents):
            raise ValueError("a document is not where its words say it is")
        head.frequency -= len(places)
        head.positions = without_places(head.positions, places)

    def save(self) -> None:
        for i, (head, more) in self._heads.items():
            # Only their number and lengths stand in the first file.
            blocks = [(top, bytes(length)) for top, length in more]
            content, positions = encode_head(
                Head(head.frequency, [*head.blocks, *blocks], head.positions, head.forms)
            )
            self.files.write(f"h/{i}", content)
            self.files.write(f"q/{i}", positions)


class _Terms:
    """The files of words that change."""

    def __init__(self, files: Files, firsts: list[str]) -> None:
        self.files = files
        self.firsts = firsts
        self._orders = [order(first) for first in firsts]
        self._terms: dict[int, dict[str, Term]] = {}
        self._sections: dict[int, list[bytes]] = {}

    def __getitem__(self, form: str) -> Term:
        return self._file(self._number(form))[form]

    def drop(self, form: str) -> Term:
        return self._file(self._number(form)).pop(form)

    def save(self) -> list[str]:
        """Write what was looked at, and return where each file begins."""
        for i, terms in sorted(self._terms.items()):
            content, section = encode_terms(list(terms.values()))
            self.files.write(f"t/{i}", content)
            self._sections[i // POSITIONS_TOGETHER][i % POSITIONS_TOGETHER] = section
        for together, sections in self._sections.items():
            self.files.write(f"p/{together}", b"".join(sections))
        for i, terms in list(self._terms.items()):
            beginning = self.firsts[i]
            if any(form.startswith(beginning) for form in terms):
                continue
            self.firsts[i] = _beginning(self.firsts, i, self._last(i - 1), next(iter(terms), None))
        return self.firsts

    def _last(self, i: int) -> str:
        """Return the last word before file `i + 1`."""
        for number in range(i, -1, -1):
            if number in self._terms:
                terms = list(self._terms[number])
            else:
                content = Reader(self.files.read(f"t/{number}"))
                content.number()
                terms = from_front_coded(content.sized().decode())
            if terms:
                return terms[-1]
        return ""

    def _number(self, form: str) -> int:
        return bisect_right(self._orders, order(form)) - 1

    def _file(self, i: int) -> dict[str, Term]:
        if i not in self._terms:
            together = i // POSITIONS_TOGETHER
            if together not in self._sections:
                reader = Reader(self.files.read(f"p/{together}"))
                self._sections[together] = []
                while not reader.done:
                    self._sections[together].append(sized(reader.sized()))
            section = Reader(self._sections[together][i % POSITIONS_TOGETHER]).sized()
            terms = decode_terms(self.files.read(f"t/{i}"), section)
            self._terms[i] = {term.form: term for term in terms}
        return self._terms[i]


class _Vocabulary:
    """Words sorted by their beginnings, or by their ends."""

    def __init__(self, files: Files, folder: str, firsts: list[str]) -> None:
        self.files = files
        self.folder = folder
        self.firsts = firsts

    def change(self, levels: dict[str, int | None]) -> None:
        """Give words another level, or take them out."""
        orders = [order(first) for first in self.firsts]
        by_file: dict[int, dict[str, int | None]] = {}
        for form, level in levels.items():
            word = form[::-1] if self.folder == "w" else form
            i = bisect_right(orders, order(word)) - 1
            by_file.setdefault(i, {})[word] = level
        for i, changes in sorted(by_file.items()):
            words = [
                (word, level)
                for word, before in self._read(i)
                if (level := changes.get(word, before)) is not None
            ]
            self.files.write(f"{self.folder}/{i}", encode_vocabulary(words))
            if not any(word.startswith(self.firsts[i]) for word, _ in words):
                self.firsts[i] = _beginning(
                    self.firsts, i, self._last(i - 1), words[0][0] if words else None
                )

    def _read(self, i: int) -> list[tuple[str, int]]:
        return decode_vocabulary(self.files.read(f"{self.folder}/{i}"))

    def _last(self, i: int) -> str:
        found: Iterable[str] = (
            words[-1][0] for number in range(i, -1, -1) if (words := self._read(number))
        )
        return next(iter(found), "")


def _beginning(firsts: list[str], i: int, before: str, first: str | None) -> str:
    """Return what a file begins with that lost its first words, so that nothing tells them."""
    if first is not None:
        return separator(before, first)
    # Empty: what would stand here is looked for in the next file, or found to be nowhere.
    return firsts[i + 1] if i + 1 < len(firsts) else before + "~"
