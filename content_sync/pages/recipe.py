"""What decides, beside records, how pages look: the templates, and the code that makes them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from jinja2 import Environment

from content_sync.pages.render import TemplateDigests

TEMPLATES = (
    "card.html",
    "publication.html",
    "tombstone.html",
    "person.html",
    "venue.html",
    "listing.html",
    "topic.html",
    "project.html",
    "theme.html",
    "institution.html",
    "event.html",
    "entries.html",
    "publications.html",
    "home.html",
    "search.html",
    "opensearch.xml",
    "not_found.html",
    "error.html",
    "changes.html",
)


def template_digests(environment: Environment) -> dict[str, bytes]:
    """Return the digest of each template of pages, with all that it extends or includes."""
    digests = TemplateDigests(environment)
    return {name: digests.of(name) for name in TEMPLATES}


def engine_digest() -> str:
    """Return a digest of the code that makes pages: another version makes other pages."""
    digest = hashlib.blake2b(digest_size=16)
    package = Path(__file__).parent.parent
    for file in sorted(
        f for part in ("citations", "machines", "pages") for f in (package / part).glob("*.py")
    ):
        digest.update(file.read_bytes())
    return digest.hexdigest()
