from __future__ import annotations

import json
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from search.documents import read_documents
from search.errors import SearchError
from search.schema import handle
from search.shards import encode_postings, hash_key, number_documents, write_shards
from search.words import index_words, split_words, title_words

CLIENT = Path(__file__).parent / "client"

TEXTS = [
    "", " ", "Copper Drift", "Brzękowicz Łużna Sørgaard Straße ẞ Œuvre ĲSSEL ŉ", "İstanbul ıI",
    "soft\u00adhyphen zero\u200bwidth \ufeffbom", "ΟΔΟΣ οδός Σ", "हिन्दी भाषा", "한국어 처리",
    "x²+½ ﬁne ℌ №5 ™", "言語処理BERT研究 語", "𠀀𠀁𠀂 a", "שָׁלוֹם עולם", "اَلْعَرَبِيَّةُ", "???", "∅ ∅",
    "a\x00b\x1fc\x7f",
    "Ara\u0301nzazu e\u0301\u0323", "$\\alpha$-equivalence \\textit{x}", "<b>bold</b> &amp;",
    "don't Chomsky’s l'été", "a" * 100 + " " + "é" * 100 + " " + "𝒳" * 100,
    "https://doi.org/10.1/ABC",
    "DOI:10.5/x", "e-mail C++ C# .NET", "ภาษาไทย", "Việt Nam", "ǅ ǆ Ǆ", "\u2028line\u2029end",
    "١٢٣ ⅫⅣ", "🙂 emoji",
]  # fmt: skip


def node(script: str, value: Any) -> Any:
    done = subprocess.run(
        ["node", str(CLIENT / script)],
        input=json.dumps(value),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


Ask = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def ask(tmp_path: Path) -> Ask:
    """A function that answers queries from folders of shards with the client's own code."""

    def run(queries: list[str], *names: str, limit: int = 20) -> list[dict[str, Any]]:
        folders = [str(tmp_path / name) for name in names or ("shards",)]
        found: list[dict[str, Any]] = node(
            "search.mjs", {"folders": folders, "queries": queries, "limit": limit}
        )
        return found

    return run


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(f.relative_to(folder).as_posix()): f.read_bytes()
        for f in folder.rglob("*")
        if f.is_file()
    }


def many(first: int, last: int) -> list[dict[str, Any]]:
    return [
        {
            "id": f"publication:n{n}",
            "type": "publication",
            "url": f"/publications/n{n}/",
            "title": f"Title {n} with copper{n % 900} and {'lines' if n % 3 else 'drift'}",
            "people": [f"Author Number{n % 7}"],
            "year": 2000 + n % 20,
            "status": "current",
            "access": "public",
        }
        for n in range(first, last)
    ]


def test_the_client_passes_its_own_tests() -> None:
    tests = sorted(str(path) for path in CLIENT.glob("*.test.mjs"))
    done = subprocess.run(
        ["node", "--test", *tests], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(tests) == 3


def test_words_are_the_same_in_the_browser() -> None:
    # Characters that only one of the two Unicode versions knows may differ.
    known = [c for c in map(chr, range(0x3000)) if unicodedata.category(c) != "Cn"]
    texts = [*TEXTS, *("".join(known[i : i + 64]) for i in range(0, len(known), 64))]
    assert node("words.mjs", texts) == [
        {
            "split": split_words(text),
            "index": index_words(text),
            "title": title_words(text),
            "handle": handle(text),
            "hash": hash_key(text),
        }
        for text in texts
    ]


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("Copper drift in narrow lines", "2019.a-1"),
        ("narrow line drif", "2019.a-1"),
        ("electromigration copper ", "2021.b-2"),
        ("lovelace copper", "2019.a-1"),
        ("brzękow", "2019.a-1"),
        ("BRZEKOWICZ ", "2019.a-1"),
        ("Ada Lovelace", "ada"),
        ("2021.b-2", "2021.b-2"),
        ("doi:10.1234/COPPER.1", "2019.a-1"),
        ("The", "t-5"),
        ("? ??", "t-6"),
        ("自然言語処理の研究", "t-7"),
        ("言語", "t-7"),
        ("Copper drift revisited", "r-4"),
        ("2023 noise", "2023.c-3"),
        ("copper SIR", "2019.a-1"),
    ],
)
def test_the_browser_finds(write_documents, works, tmp_path, ask: Ask, query, first) -> None:
    write_shards(write_documents("documents", works), tmp_path / "shards")
    assert ask([query])[0]["ids"][0].partition(":")[2] == first


def test_the_browser_leaves_out_unwanted_words_and_finds_nothing_for_nothing(
    write_documents, works, tmp_path, ask: Ask
) -> None:
    write_shards(write_documents("documents", works), tmp_path / "shards")
    without, blank, unknown, hostile = ask(
        ["copper -electromigration", " ", "zyzzogeton", '"<script>' * 1000]
    )
    assert "publication:2021.b-2" not in without["ids"]
    assert "publication:r-4" in without["ids"]
    assert blank["total"] == unknown["total"] == hostile["total"] == 0


def test_retracted_works_come_after_the_others(write_documents, works, tmp_path, ask: Ask) -> None:
    write_shards(write_documents("documents", works), tmp_path / "shards")
    ids = ask(["copper drift "])[0]["ids"]
    assert ids.index("publication:r-4") > ids.index("publication:2019.a-1") == 0


def test_the_same_documents_give_the_same_bytes(write_documents, works, tmp_path) -> None:
    rows = works + many(0, 300)
    write_shards(write_documents("one", rows, 8), tmp_path / "shards1")
    write_shards(write_documents("two", rows[::-1], 3), tmp_path / "shards2")
    assert contents(tmp_path / "shards1") == contents(tmp_path / "shards2")


def test_another_document_changes_few_files_and_the_rest_are_links(
    write_documents, works, tmp_path, ask: Ask
) -> None:
    rows = works + many(0, 4000)
    before = write_shards(write_documents("one", rows), tmp_path / "shards1")
    rows.append({**works[0], "id": "publication:x", "title": "Interconnect wholly unheard of"})
    documents = write_documents("two", rows)
    now = write_shards(documents, tmp_path / "shards", previous=tmp_path / "shards1")
    assert before.written == before.files
    assert now.written < 20 < now.files / 10
    kept = [f for f in (tmp_path / "shards").rglob("*.*") if f.stat().st_nlink > 1]
    assert len(kept) == now.files - now.written
    write_shards(documents, tmp_path / "anew")
    assert contents(tmp_path / "anew") == contents(tmp_path / "shards")
    assert ask(["interconnect wholly"])[0]["ids"][0] == "publication:x"


def test_frequent_words_have_files_of_their_own_and_are_found(
    write_documents, tmp_path, ask: Ask
) -> None:
    write_shards(write_documents("documents", many(0, 3000)), tmp_path / "shards")
    assert list((tmp_path / "shards/lists").iterdir())
    title, lines, begun = ask(["title 17 with copper17 and lines", "lines ", "lin"])
    assert title["ids"][0] == "publication:n17"
    assert lines["total"] == begun["total"] == 2000


def test_members_records_are_found_only_with_the_members_index(
    write_documents, works, tmp_path, ask: Ask
) -> None:
    secret = [
        {**works[0], "id": "publication:s-1", "title": "Zyzzogeton drift", "access": "members",
         "people": ["Quux Frobnitz"], "url": "/members/publications/s-1/"},
    ]  # fmt: skip
    write_shards(write_documents("p", works), tmp_path / "public")
    write_shards(write_documents("m", secret), tmp_path / "members")
    for path, data in contents(tmp_path / "public").items():
        for word in (b"zyzzo", b"frobnitz", b"s-1"):
            assert word not in data.lower(), path
    assert ask(["zyzzogeton"], "public")[0]["total"] == 0
    both = ask(["zyzzogeton drift"], "public", "members")[0]
    assert both["ids"][0] == "publication:s-1"
    assert "publication:2019.a-1" in both["ids"]


def test_no_documents_make_shards_that_find_nothing(write_documents, tmp_path, ask: Ask) -> None:
    report = write_shards(write_documents("none", []), tmp_path / "shards")
    assert report.documents == 0
    assert [answer["total"] for answer in ask(["copper", "10.1/x", "c"])] == [0, 0, 0]


def test_a_folder_that_exists_is_left_alone(write_documents, works, tmp_path) -> None:
    (tmp_path / "shards").mkdir()
    with pytest.raises(SearchError, match="exists already"):
        write_shards(write_documents("documents", works), tmp_path / "shards")


def test_every_document_can_be_shown(write_documents, works, tmp_path, ask: Ask) -> None:
    documents = write_documents("documents", works + many(0, 500))
    write_shards(documents, tmp_path / "shards")
    every = list(read_documents(documents))
    answers = ask([document.title for document in every], limit=1)
    assert [answer["titles"][0] for answer in answers] == [document.title for document in every]


def test_numbers_hardly_move_when_documents_come() -> None:
    bits, before = number_documents(f"publication:{n}" for n in range(5000))
    more_bits, now = number_documents(f"publication:{n}" for n in range(5010))
    assert bits == more_bits
    assert len(set(now.values())) == 5010
    assert sum(before[i] != now[i] for i in before) < 10


def test_postings_stand_by_falling_impact() -> None:
    assert encode_postings([1 * 32 + 31, 32 * 32 + 0, 3 * 32 + 31]) == "fCBCABgB"
