"""Documents: the same files whatever the order and the history of builds."""

from __future__ import annotations

import json
from pathlib import Path

from content_sync.pages.documents import Documents, buckets_for, encode
from tests.content_sync.pages.conftest import tree


def _lines(documents: dict[str, str], audience: str = "public") -> list[tuple[str, bytes]]:
    return [(audience, encode(documents))]


def _write(root: Path, titles: dict[str, str], base: Path | None = None) -> Documents:
    documents = Documents(root, 4, base)
    for document_id, title in titles.items():
        documents.put(document_id, _lines({"id": document_id, "title": title}))
    return documents


def test_order_does_not_matter(tmp_path: Path) -> None:
    titles = {f"publication:{i}": f"Title {i}" for i in range(50)}
    _write(tmp_path / "a", titles).finish()
    _write(tmp_path / "b", dict(reversed(titles.items()))).finish()
    assert tree(tmp_path / "a") == tree(tmp_path / "b")


def test_an_update_gives_the_files_of_a_full_build(tmp_path: Path) -> None:
    titles = {f"publication:{i}": f"Title {i}" for i in range(50)}
    _write(tmp_path / "old", titles).finish()
    update = Documents(tmp_path / "new", 4, tmp_path / "old")
    update.put("publication:7", _lines({"id": "publication:7", "title": "Changed"}))
    update.put("publication:8", [])
    update.put("publication:new", _lines({"id": "publication:new", "title": "New"}))
    counts = update.finish()
    after = {**titles, "publication:7": "Changed", "publication:new": "New"}
    del after["publication:8"]
    _write(tmp_path / "full", after).finish()
    assert tree(tmp_path / "new") == tree(tmp_path / "full")
    assert counts == {"public": 50, "members": 0}


def test_an_update_leaves_the_last_release_alone_and_shares_what_is_the_same(
    tmp_path: Path,
) -> None:
    titles = {f"publication:{i}": f"Title {i}" for i in range(50)}
    _write(tmp_path / "old", titles).finish()
    before = tree(tmp_path / "old")
    update = Documents(tmp_path / "new", 4, tmp_path / "old")
    update.put("publication:7", _lines({"id": "publication:7", "title": "Changed"}))
    update.finish()
    assert tree(tmp_path / "old") == before
    linked = [f for f in (tmp_path / "new/public").glob("*.jsonl") if f.stat().st_nlink == 2]
    assert len(linked) == 3


def test_a_record_that_becomes_members_only_leaves_the_public_documents(tmp_path: Path) -> None:
    _write(tmp_path / "old", {"publication:1": "Title"}).finish()
    update = Documents(tmp_path / "new", 4, tmp_path / "old")
    update.put("publication:1", _lines({"id": "publication:1", "title": "Title"}, "members"))
    assert update.finish() == {"public": 0, "members": 1}
    assert b"publication:1" not in b"".join(tree(tmp_path / "new/public").values())


def test_the_layout_says_how_many_files_and_documents_there_are(tmp_path: Path) -> None:
    _write(tmp_path / "a", {"publication:1": "Title"}).finish()
    layout = tmp_path / "a/public/layout.json"
    assert json.loads(layout.read_text()) == {"buckets": 4, "documents": 1}
    update = Documents(tmp_path / "b", 4, tmp_path / "a")
    for number in (1, 2, 3):
        document = {"id": f"publication:{number}", "title": "Other"}
        update.put(document["id"], _lines(document))
    update.put("publication:3", [])
    assert update.finish() == {"public": 2, "members": 0}
    layout = tmp_path / "b/public/layout.json"
    assert json.loads(layout.read_text()) == {"buckets": 4, "documents": 2}
    assert [buckets_for(n) for n in (0, 64, 65, 112_000)] == [1, 1, 2, 2048]
