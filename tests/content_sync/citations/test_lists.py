"""Citations of several works in one file, and what can be taken out of it again."""

from __future__ import annotations

import hashlib

import pytest

from content_sync.citations import csl_file, to_bibtex, to_ris
from content_sync.citations.lists import AROUND, join, split_members
from tests.content_sync.citations.test_formats import every_kind

MAKERS = {
    "bib": lambda work: to_bibtex(work).encode(),
    "ris": lambda work: to_ris(work).encode(),
    "json": lambda work: csl_file([work]),
}


def parted(content: bytes, ending: str) -> dict[bytes, bytes]:
    before, _, after = AROUND[ending]
    return split_members(content[len(before) : len(content) - len(after)], ending)


@pytest.mark.parametrize("ending", MAKERS)
def test_a_list_is_parted_into_the_files_that_it_was_joined_of(ending: str) -> None:
    files = [MAKERS[ending](work) for work in every_kind()]
    found = parted(join(files, ending), ending)
    for file in files:
        assert found[hashlib.sha256(file).digest()] == file


@pytest.mark.parametrize("ending", MAKERS)
def test_a_text_that_looks_like_an_end_is_under_no_digest_but_its_own(ending: str) -> None:
    good = MAKERS[ending](every_kind()[0])
    bad = {
        "bib": b"@misc{a,\n  note = {x\n\n@misc{b, y}},\n}\n",
        "ris": b"TY  - GEN\r\nAB  - x\r\nER  - \r\n\r\ny\r\nER  - \r\n\r\n",
        "json": b'[\n{"id":"a",\n{"note":"b"}}\n]\n',
    }[ending]
    found = parted(join([good, bad, good], ending), ending)
    assert found[hashlib.sha256(good).digest()] == good
    assert hashlib.sha256(bad).digest() not in found
    assert all(hashlib.sha256(piece).digest() == digest for digest, piece in found.items())
