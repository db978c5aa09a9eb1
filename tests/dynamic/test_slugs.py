"""From a record's URL back to its id."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from content_sync.pages.documents import bucket_of
from content_sync.urls import slug
from dynamic.records import _bucket
from dynamic.slugs import id_of_slug, is_hashed


@settings(max_examples=500, deadline=None)
@given(st.text(min_size=1, max_size=60))
@example("EL-2026-17")
@example("CamelCase.x")
@example("con")
@example("x_u")
@example("X_M3")
@example("..")
@example("index")
@example("-a")
@example("ÄÖ/ü")
def test_each_id_is_found_from_its_url(record_id: str) -> None:
    address = slug(record_id)
    if is_hashed(address):
        assert len(address) > 120
    else:
        assert id_of_slug(address) == record_id


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=230))
def test_no_address_is_too_strange(address: str) -> None:
    found = id_of_slug(address)
    assert found is None or isinstance(found, str)


@pytest.mark.parametrize("buckets", [1, 2, 4096])
def test_documents_are_looked_for_where_the_build_puts_them(buckets: int) -> None:
    for document_id in ("publication:EL-2026-17", "event:ü", "person:😀"):
        assert _bucket(document_id, buckets) == bucket_of(document_id, buckets)
