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


@pytest.fixture
def signed_in(site: Stack) -> Callable[[str], Reader]:
    """A function that returns the browser of a demo account, signed in."""
    password = (site.site / "var" / "secrets" / "demo-password").read_text()

    def sign_in(who: str) -> Reader:
        reader = Reader(site)
        page = reader.sign_in(f"{who}@demo.example", password)
        assert page.url.startswith(site.url), page.text
        return reader

    return sign_in
