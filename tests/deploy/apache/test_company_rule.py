"""The one rule that compares the folder of a CV book with the reader's company."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ACCESS = Path(__file__).parents[3] / "deploy" / "apache" / "access.conf"


def _opens(claim: str, path: str) -> bool:
    """Tell whether the rule of the configuration opens a path to a claim."""
    found = re.search(r"Require expr \"'([^']+)' =~ m#(.+)#\"", ACCESS.read_text())
    assert found
    asked = found[1].replace("%{reqenv:OIDC_CLAIM_company}", claim)
    return re.search(found[2], asked.replace("%{REQUEST_URI}", path)) is not None


@pytest.mark.parametrize(
    ("claim", "path"),
    [
        ("acme", "/cvs/acme/"),
        ("acme.corp", "/cvs/acme.corp/topic/a_2cb/"),
        ("acme,borealis", "/cvs/acme/index.html"),
        ("acme,borealis", "/cvs/borealis/x.pdf"),
        ("a,b,c", "/cvs/c/"),
    ],
)
def test_a_reader_opens_the_books_of_their_companies(claim: str, path: str) -> None:
    assert _opens(claim, path)


@pytest.mark.parametrize(
    ("claim", "path"),
    [
        ("", "/cvs/"),
        ("", "/cvs//"),
        ("", "/cvs/acme/"),
        (",", "/cvs//"),
        ("acme", "/cvs/acme"),
        ("acme", "/cvs/acmeX/"),
        ("acme", "/cvs/acm/"),
        ("acme", "/cvs/ac.e/"),
        ("ac.e", "/cvs/acme/"),
        (".*", "/cvs/acme/"),
        ("acme", "/cvs/ACME/"),
        ("acme", "/cvs/borealis/acme/"),
        ("acme", "/cvs/borealis/,acme,|/cvs/acme/"),
        ("acme", "/cvs/borealis/|/cvs/acme/"),
        ("acme", "/x/cvs/acme/"),
        ("acme,borealis", "/cvs/acme,borealis/"),
        ("acme-north", "/cvs/acme/"),
        ("..", "/cvs/../"),
        (".staged", "/cvs/.staged/"),
        (".files", "/cvs/.files/"),
    ],
)
def test_no_claim_and_no_address_opens_another_book(claim: str, path: str) -> None:
    assert not _opens(claim, path)
