"""Browsers learn from every page that the site can be searched."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from tests.content_sync.pages.conftest import Site

NAMESPACE = "{http://a9.com/-/spec/opensearch/1.1/}"


def test_a_site_with_an_address_describes_its_search(site: Site) -> None:
    site.night()
    public = site.root / "output" / "current" / "public"
    document = ElementTree.fromstring((public / "opensearch.xml").read_bytes())
    assert document.tag == f"{NAMESPACE}OpenSearchDescription"
    name = document.findtext(f"{NAMESPACE}ShortName") or ""
    assert "Test Consortium".startswith(name)
    assert 0 < len(name) <= 16
    [page] = [u for u in document.iter(f"{NAMESPACE}Url") if u.get("type") == "text/html"]
    assert page.get("template") == "https://publications.example/search/?q={searchTerms}"
    for file in ("index.html", "people/index.html", "search/index.html"):
        link = re.search(r'<link rel="search"[^>]*>', (public / file).read_text("utf-8"))
        assert link is not None
        assert 'href="/opensearch.xml"' in link[0]
