from __future__ import annotations

import os
from pathlib import Path

import pytest

from search.documents import Changes, Document, diff_documents, parse_document, read_documents
from search.errors import SearchError


def test_a_folder_is_read_as_documents(write_documents, works) -> None:
    folder = write_documents("documents", works)
    documents = {document.id: document for document in read_documents(folder)}
    assert len(documents) == len(works)
    person = documents["person:ada"]
    assert person == Document(
        id="person:ada",
        type="person",
        url="/people/ada/",
        title="Ada Lovelace",
        names=("A. A. King",),
    )
    assert person.record_id == "ada"


@pytest.mark.parametrize("buckets", [8, 5])
def test_a_difference_names_what_was_added_changed_and_lost(
    write_documents, works, buckets
) -> None:
    before = write_documents("before", works)
    changed = [{**work, "title": "New"} if work["id"] == "person:ada" else work for work in works]
    now = write_documents("now", [*changed[1:], {**works[0], "id": "publication:new"}], buckets)
    assert diff_documents(now, before) == Changes(
        added=("publication:new",), changed=("person:ada",), gone=(works[0]["id"],)
    )


def test_hard_linked_buckets_are_not_read(write_documents, works, tmp_path: Path) -> None:
    before = write_documents("before", works)
    now = tmp_path / "now"
    now.mkdir()
    for file in before.iterdir():
        os.link(file, now / file.name)
    for file in now.glob("*.jsonl"):
        file.write_bytes(b"no document\n")  # both, being one file
    assert diff_documents(now, before) == Changes()


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"id": "a", "type": "b"}', b"\xff"])
def test_a_line_that_is_no_document_is_refused(line: bytes) -> None:
    with pytest.raises(SearchError, match="no document"):
        parse_document(line)


def test_a_folder_without_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="not a documents folder"):
        diff_documents(tmp_path, tmp_path)
