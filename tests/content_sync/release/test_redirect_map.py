"""Maps in the SDBM format: every pair is found where a reader of the format looks for it."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from content_sync.release.redirect_map import LONGEST, write_map


def look_up(folder: Path, key: bytes, *, signed: bool) -> bytes | None:
    """Find a key as the format's own readers do, with C's char signed or not."""
    pag, directory = (folder / "m.pag").read_bytes(), (folder / "m.dir").read_bytes()
    hashed = 0
    for byte in key:
        hashed = (byte - 256 if signed and byte > 127 else byte) + hashed * 65599 & 0xFFFFFFFF
    node = depth = 0
    while node < len(directory) * 8 and directory[node // 8] >> node % 8 & 1:
        node = 2 * node + 1 + (hashed >> depth & 1)
        depth += 1
    page = pag[(hashed & (1 << depth) - 1) * 1024 :][:1024]
    if not page:
        return None
    count = struct.unpack_from("<h", page)[0]
    offsets = struct.unpack_from(f"<{count + 1}h", page)[1:]
    end = 1024
    for at in range(0, count, 2):
        if page[offsets[at] : end] == key:
            return page[offsets[at + 1] : offsets[at]]
        end = offsets[at + 1]
    return None


keys = st.text(min_size=1, max_size=60).map(str.encode)


@given(st.dictionaries(keys, keys, max_size=120))
@settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_all_that_was_written_is_found_and_nothing_else(
    tmp_path: Path, pairs: dict[bytes, bytes]
) -> None:
    write_map(tmp_path / "m", pairs)
    for signed in (True, False):
        for key, value in pairs.items():
            assert look_up(tmp_path, key, signed=signed) == value
        assert look_up(tmp_path, b"\0 no such key", signed=signed) is None


def test_many_pairs_are_found_on_both_kinds_of_machine(tmp_path: Path) -> None:
    pairs = {
        f"/papers/{n}/ä{n % 7}".encode(): f"/publications/{n}/".encode() for n in range(20_000)
    }
    write_map(tmp_path / "m", pairs)
    for n in range(0, 20_000, 37):
        key = f"/papers/{n}/ä{n % 7}".encode()
        for signed in (True, False):
            assert look_up(tmp_path, key, signed=signed) == pairs[key]


def test_the_same_pairs_give_the_same_bytes(tmp_path: Path) -> None:
    pairs = {f"/{n}".encode(): b"/x/" for n in range(500)}
    write_map(tmp_path / "m", pairs)
    write_map(tmp_path / "n", dict(reversed(pairs.items())))
    for ending in (".pag", ".dir"):
        one, two = (tmp_path / f"{name}{ending}" for name in "mn")
        assert one.read_bytes() == two.read_bytes()


def test_a_pair_that_no_page_holds_is_refused(tmp_path: Path) -> None:
    write_map(tmp_path / "m", {b"/" + b"x" * (LONGEST - 5): b"/yy/"})
    assert look_up(tmp_path, b"/" + b"x" * (LONGEST - 5), signed=True) == b"/yy/"
    with pytest.raises(ValueError, match="too long"):
        write_map(tmp_path / "m", {b"/" + b"x" * LONGEST: b"/yy/"})
