"""Where sessions are kept, and what ends them."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from content_sync.operations.children import free_port
from tests.deploy.signin.reader import Reader
from tests.deploy.signin.stack import Stack, stack, wait_for

pytestmark = pytest.mark.needs("apache")


@contextmanager
def running(**defines: str) -> Iterator[tuple[Stack, str]]:
    with stack(**defines) as site:
        site.nightpress("signin", "demo")
        site.start_provider()
        site.start_apache()
        yield site, (site.site / "var" / "secrets" / "demo-password").read_text()


def test_sessions_on_one_machine_outlive_reloads_and_restarts_and_the_provider() -> None:
    with running(NIGHTPRESS_REFRESH_SECONDS="4") as (site, password):
        reader = Reader(site)
        assert "Members home" in reader.sign_in("member@demo.example", password, "/members/").text
        site.reload_apache()
        assert reader.fetch("/members/").status_code == 200
        site.stop("apache")
        site.start_apache()
        assert reader.fetch("/members/").status_code == 200
        # The provider goes: who is signed in stays until groups are due, then nothing opens.
        site.stop("provider")
        assert reader.fetch("/members/").status_code == 200
        time.sleep(4.5)
        page = reader.go("/members/")
        assert page.status_code == 403
        assert "Please sign in again" in page.text
        assert reader.go("/").status_code == 200
        stranger = Reader(site)
        down = stranger.go("/signin/")
        assert down.status_code == 503
        assert "Sign-in is out of order" in down.text
        assert stranger.go("/publications/one/").status_code == 200
        assert stranger.get(f"{site.signin_url}/oidc/theme/css/press.css").status_code == 200
        # It comes back, and so does what it opens.
        site.start_provider()
        time.sleep(4.5)
        assert reader.fetch("/members/").status_code == 200


def test_a_session_ends_in_any_case() -> None:
    with running(NIGHTPRESS_SESSION_SECONDS="15") as (site, password):
        reader = Reader(site)
        reader.sign_in("member@demo.example", password, "/members/")
        assert reader.fetch("/members/").status_code == 200
        assert reader.cookies.get("nightpress-members") == "1"
        time.sleep(15.5)  # the module takes no shorter time
        ended = reader.fetch("/members/search-index/manifest.json")
        assert ended.status_code == 401
        assert "secret" not in ended.text
        assert reader.cookies.get("nightpress-members") is None
        # A person is sent to the provider, who knows him still, and back to the page.
        assert "Members two" in reader.go("/members/publications/two/").text


@pytest.mark.needs("redis")
def test_sessions_in_redis_are_encrypted_and_its_loss_closes_only_members_pages(
    tmp_path: Path,
) -> None:
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    _with_store(tmp_path, command, port, NIGHTPRESS_REDIS=f"127.0.0.1:{port}")


@pytest.mark.needs("memcached")
def test_sessions_in_memcached_are_shared_and_its_loss_closes_only_members_pages(
    tmp_path: Path,
) -> None:
    port = free_port()
    command = ["memcached", "-l", "127.0.0.1", "-p", str(port), "-u", "nobody"]
    _with_store(tmp_path, command, port, NIGHTPRESS_MEMCACHED=f"127.0.0.1:{port}")


def _with_store(tmp_path: Path, command: list[str], port: int, **defines: str) -> None:
    log = tmp_path / "store.log"
    with log.open("wb") as out:
        store = subprocess.Popen(
            [shutil.which(command[0]) or command[0], *command[1:]],
            stdout=out,
            stderr=out,
            cwd=tmp_path,
        )
    try:
        wait_for(port, store, log)
        with running(**defines) as (site, password):
            reader = Reader(site)
            reader.sign_in("member@demo.example", password, "/members/")
            assert reader.fetch("/members/").status_code == 200
            site.stop("apache")
            site.start_apache()  # another Apache, as on another machine: the store has it
            assert reader.fetch("/members/").status_code == 200
            assert not list((site.site / "var" / "apache" / "sessions").iterdir())
            store.terminate()
            store.wait(10)
            gone = reader.fetch("/members/")
            assert gone.status_code in {401, 500}
            assert "Members home" not in gone.text
            assert reader.go("/").status_code == 200
    finally:
        store.kill()
        store.wait()


def test_a_provider_that_was_never_reached_gives_a_page_that_says_so() -> None:
    # What the provider says of itself is not known yet: nobody can even be sent to it.
    realm = "signin.localhost:1/realms/institute"
    with stack("keycloak", NIGHTPRESS_KEYCLOAK_REALM=realm) as site:
        site.nightpress("signin", "prepare")
        (site.site / "var/secrets/keycloak.conf").write_text('OIDCClientSecret "unused"\n')
        site.start_apache()
        reader = Reader(site)
        for path in ("/members/", "/staff/", "/signin/", "/services/me/"):
            down = reader.go(path)
            assert down.status_code == 503, path
            assert "Sign-in is out of order" in down.text
            assert down.headers["Retry-After"] == "30"
        assert reader.fetch("/members/").status_code == 401
        assert reader.go("/publications/one/").status_code == 200


def test_the_included_provider_that_never_started_gives_a_page_that_says_so() -> None:
    with stack() as site:
        site.nightpress("signin", "prepare")
        site.start_apache()
        reader = Reader(site)
        for path in ("/members/", "/signin/"):
            down = reader.go(path)
            assert down.status_code == 503, path
            assert "Sign-in is out of order" in down.text
        assert reader.fetch("/members/").status_code == 401
        assert reader.go("/publications/one/").status_code == 200
