"""One running site for the tests of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.deploy.signin.reader import Reader
from tests.deploy.signin.stack import Stack, stack


@pytest.fixture(scope="module")
def site() -> Iterator[Stack]:
    """The included provider with its demo accounts, Apache before it; groups old after 2 s."""
    with stack(NIGHTPRESS_REFRESH_SECONDS="2") as running:
        running.nightpress("signin", "demo")
        running.start_provider()
        running.start_apache()
        yield running


@pytest.fixture(scope="module")
def fresh(site: Stack) -> Callable[[str], Reader]:
    """A function that returns a new browser, signed in with a demo account."""
    password = (site.site / "var" / "secrets" / "demo-password").read_text()

    def sign_in(who: str) -> Reader:
        reader = Reader(site)
        page = reader.sign_in(f"{who}@demo.example", password)
        assert page.url.startswith(site.url), page.text
        return reader

    return sign_in


@pytest.fixture(scope="module")
def signed_in(fresh: Callable[[str], Reader]) -> Callable[[str], Reader]:
    """The same, one browser for each account, for tests that do not sign out.

    Who signs out somewhere is signed out everywhere soon, so a browser may have to be new.
    """
    browsers: dict[str, Reader] = {}

    def signed_in(who: str) -> Reader:
        reader = browsers.get(who)
        if reader is None or "HTTP_X_REMOTE_GROUPS" not in reader.fetch("/services/echo").text:
            reader = browsers[who] = fresh(who)
        return reader

    return signed_in
