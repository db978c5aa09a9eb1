"""Throwaway certificates: good for the names asked for, renewed when they must be."""

from __future__ import annotations

import ssl
import stat
import sys
from pathlib import Path

from content_sync.operations.certificates import throwaway


def test_a_client_that_trusts_the_authority_accepts_the_certificate(tmp_path: Path) -> None:
    made = throwaway(tmp_path, ("nightpress.localhost", "signin.localhost"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(made.certificate, made.key)
    client = ssl.create_default_context(cafile=str(made.authority))
    for name in ("nightpress.localhost", "signin.localhost", "127.0.0.1"):
        assert _shake_hands(server, client, name)


def test_the_key_is_for_its_owner_and_the_authority_has_none(tmp_path: Path) -> None:
    made = throwaway(tmp_path, ("nightpress.localhost",))
    if sys.platform != "win32":
        assert stat.S_IMODE(made.key.stat().st_mode) == 0o600
    assert sorted(f.name for f in tmp_path.iterdir()) == ["ca.pem", "site.key", "site.pem"]


def test_it_stays_until_another_name_is_wanted_or_it_is_broken(tmp_path: Path) -> None:
    first = throwaway(tmp_path, ("a.localhost",)).certificate.read_bytes()
    assert throwaway(tmp_path, ("a.localhost",)).certificate.read_bytes() == first
    second = throwaway(tmp_path, ("a.localhost", "b.localhost")).certificate.read_bytes()
    assert second != first
    (tmp_path / "site.pem").write_text("broken")
    assert throwaway(tmp_path, ("a.localhost",)).certificate.read_bytes() != second


def _shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bool:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    done = set()
    for _ in range(10):
        for side in (ours, theirs):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
    return done == {ours, theirs}
