import sqlite3
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from multiprocessing import get_context

import pytest

from content_sync.errors import ReleaseError
from content_sync.release.verify import check


def errors(site, stage, **options):
    return [str(finding) for finding in check(site.settings, stage, **options).errors]


def warnings(site, stage):
    return [str(finding) for finding in check(site.settings, stage).warnings]


@pytest.fixture
def pages(site, page):
    """Pages of a small site without a fault: one publication, one for members."""
    site.publication("x")
    site.publication("secret", "members")
    return {
        "public/index.html": page(
            '<a href="/">Home</a> <a href="/publications/x/">X</a>'
            '<a href="/publications/x/x.pdf">PDF</a> <a href="/members/publications/x/">M</a>'
            '<a href="https://elsewhere.example/nothing/">e</a> <a href="mailto:a@b.example">m</a>'
            '<img src="data:image/png;base64,AAAA"> <a href="/services/feedback?x=1">f</a>'
            '<form action="/publications/?q=1"></form> <a href="https://press.example/">p</a>'
            '<a href="https://press.example/publications/x/#main">p</a>'
            "<a href='/publications/x/?a=1&amp;b=2'>q</a><div data-href=\"/nothing\"></div>"
        ),
        "public/publications/index.html": page(),
        "public/publications/x.html": page('<a href="../">up</a>'),
        "public/publications/x/x.pdf": b"%PDF",
        "members/publications/secret.html": page('<a href="/members/publications/x/">X</a>'),
    }


RECORDS = {
    "public/publications/x.html": "publication:x\nperson:ada",
    "public/publications/index.html": "publication:x",
    "members/publications/secret.html": "publication:secret",
}


def test_a_release_without_a_fault_passes(site, pages):
    stage = site.stage(pages, records=RECORDS)
    report = check(site.settings, stage, full=True)
    assert report.ok, report.errors
    assert report.warnings == []
    assert report.counts["publications"] == 2
    assert (
        (site.settings.var / "check-report.txt")
        .read_text()
        .startswith("Release 1: 0 errors, 0 warnings")
    )


@pytest.mark.parametrize(
    "link",
    [
        '<a href="/nothing/">n</a>',
        "<a href='/nothing/'>n</a>",
        "<a href=/nothing/>n</a>",
        '<a\nhref="/nothing/">n</a>',
        '<a class="a"href="/nothing/">n</a>',
        '<a href="/nothing/?q=1#x">n</a>',
        '<a href="../../nothing/">n</a>',
        '<a href="https://press.example/nothing/">n</a>',
        '<a href="/publications/nothing.html">n</a>',
        '<a href="/members/nothing/">n</a>',
        '<a href="#nothing">n</a>',
        '<img src="/assets/nothing.png">',
        '<img srcset="/assets/press.1a2b.css 1x, /assets/nothing.png 2x" alt="">',
        '<img srcset="/assets/nothing.png 2x" alt="">',
        '<form action="/nothing/"></form>',
        '<button formaction="/nothing/"></button>',
        '<video poster="/nothing.png"></video>',
        '<script type="module" src="/assets/nothing.js"></script>',
        '<a href="/no&#116;hing/">n</a>',
        '<a href="/%6eothing/">n</a>',
    ],
)
def test_a_link_of_the_theme_that_leads_nowhere_is_an_error(site, pages, page, link):
    stage = site.stage({**pages, "public/index.html": page(link)}, records=RECORDS)
    [error] = check(site.settings, stage).errors
    assert error.page == "/"
    assert "othing" in error.link


@pytest.mark.parametrize(
    "text",
    [
        '<p>the attribute href=x, and href="/nothing/ in text</p>',
        '<script type="application/ld+json">{"a": " href=\\"/nothing/\\""}</script>',
        "<!-- <a href='/nothing/'> -->",
        '<a href="#top">top</a>',
        '<a href="">here</a>',
        '<a href="#caf%C3%A9">c</a><i id="café"></i>',
        '<a href="javascript:void 0">j</a> <a href="tel:+1">t</a>',
        '<a href="//elsewhere.example/">e</a>',
        '<a href="https://press.example.org/nothing/">another host</a>',
        '<a href="https://press.example]/nothing/">another host, however odd</a>',
        '<a href="https://press.example?q=1">home</a>',
        '<svg><use xlink:href="#a"></use></svg>',
    ],
)
def test_what_is_no_link_to_a_page_of_the_site_is_ignored(site, pages, page, text):
    stage = site.stage({**pages, "public/index.html": page(text)}, records=RECORDS)
    assert errors(site, stage) == []


def test_broken_links_in_prose_are_told_but_not_fatal(site, pages, page):
    body = (
        '<div data-prose><p>Text<br><a href="/nothing/">n</a></p></div>'
        '<nav><a href="/publications/x/">x</a></nav>'
    )
    stage = site.stage({**pages, "public/index.html": page(body)}, records=RECORDS)
    assert errors(site, stage) == []
    assert warnings(site, stage) == ["/: /nothing/: it leads to nothing"]
    body += '<a href="/nothing/">the theme, too</a>'
    stage = site.stage({**pages, "public/index.html": page(body)}, records=RECORDS)
    assert errors(site, stage) == ["/: /nothing/: it leads to nothing"]


def test_stylesheets_and_modules_are_followed(site, pages):
    stage = site.stage(
        {
            **pages,
            "public/assets/a.1.css": b'@font-face{src:url("serif.2.woff2"),url(/assets/no.woff2)}',
            "public/assets/serif.2.woff2": b"",
            "public/assets/search.3/main.js": b'import {a} from "./query.js"; import("../no.js")',
            "public/assets/search.3/query.js": b"export const a = 1",
        },
        records=RECORDS,
    )
    assert errors(site, stage) == [
        "/assets/a.1.css: /assets/no.woff2: it leads to nothing",
        "/assets/search.3/main.js: ../no.js: it leads to nothing",
    ]


def test_files_and_manifest_must_agree(site, pages):
    stage = site.stage(pages, records=RECORDS)
    (stage.root / "public/publications/x/x.pdf").write_bytes(b"longer than before")
    (stage.root / "public/stray.html").write_bytes(b"")
    (stage.root / "members/publications/secret.html").unlink()
    assert errors(site, stage) == [
        "members/publications/secret.html: the manifest lists it but it is missing",
        "public/publications/x/x.pdf: it has 18 bytes instead of 4",
        "public/stray.html: the manifest does not list it",
    ]


def test_a_full_check_compares_every_byte(site, pages):
    stage = site.stage(pages, records=RECORDS)
    (stage.root / "public/publications/x/x.pdf").write_bytes(b"%pdf")
    assert errors(site, stage) == []
    assert errors(site, stage, full=True) == [
        "public/publications/x/x.pdf: its bytes are not those that the manifest lists"
    ]


def test_a_public_file_must_not_show_a_members_record(site, pages):
    records = {**RECORDS, "public/publications/index.html": "publication:x\npublication:secret"}
    stage = site.stage(pages, records=records)
    assert errors(site, stage) == [
        "public/publications/index.html: publication:secret:"
        " a public file shows a record for members only"
    ]


def test_a_record_opens_on_its_day(site, pages):
    site.publication("secret", "members", public_on="2026-03-01")
    moved = {k.replace("members/", "public/"): v for k, v in pages.items()}
    records = {k.replace("members/", "public/"): v for k, v in RECORDS.items()}
    assert errors(site, site.stage(moved, records=records)) == []
    site.date = "2026-02-28"
    found = errors(site, site.stage(moved, records=records))
    assert any("shows a record for members only" in line for line in found)


def test_a_public_page_must_not_lead_to_a_members_record(site, pages, page):
    link = '<a href="/members/publications/secret/">s</a>'
    stage = site.stage(
        {
            **pages,
            "public/index.html": page(link),
            "public/publications/x.html": page(f"<p data-prose>{link}</p>"),
            "members/index.html": page(link),
        },
        records=RECORDS,
    )
    report = check(site.settings, stage)
    assert [(f.page, f.reason) for f in report.errors] == [
        ("/", "a public page leads to a record for members only")
    ]
    assert [f.page for f in report.warnings] == ["/publications/x/"]


def test_every_record_has_its_page_where_its_audience_is(site, pages):
    site.publication("new")
    site.publication("hidden", "members")
    site.sql("INSERT INTO people VALUES ('Ada', 'Ada', NULL, NULL, NULL, NULL, 0, 'a', 'a', x'')")
    records = {**RECORDS, "public/topics/old.html": "topic:old"}
    stage = site.stage({**pages, "public/topics/old.html": b""}, records=records)
    assert errors(site, stage) == [
        "/members/publications/: publication:hidden: the record has no members page",
        "/people/: person:Ada: the record has no public page",
        "/publications/: publication:new: the record has no public page",
        "/topics/: topic:old: a page of no record in the snapshot",
    ]


def test_a_listing_that_names_a_record_first_is_not_its_page(site, pages):
    site.publication("2")
    records = {**RECORDS, "public/publications/3.html": "publication:2"}
    stage = site.stage({**pages, "public/publications/3.html": b""}, records=records)
    assert errors(site, stage) == ["/publications/: publication:2: the record has no public page"]


def test_only_pages_that_changed_are_read_until_a_url_vanishes(site, pages, page):
    link = page('<a href="/publications/x/">X</a>')
    others = {"public/a/b.html": link, "public/a/c.html": page()}
    records = {**RECORDS, "public/a/b.html": "person:ada\npublication:x"}
    site.release({**pages, **others}, records=records)
    changed = {**pages, **others, "public/publications/index.html": page("new")}
    stage = site.stage(changed, records=records)
    assert check(site.settings, stage).counts["pages checked"] == 1
    assert check(site.settings, stage, full=True).counts["pages checked"] == 7

    del changed["public/publications/x.html"]
    site.sql("DELETE FROM publications WHERE id = 'x'")
    stage = site.stage(changed, records=records)
    assert check(site.settings, stage).counts["pages checked"] == 4, "c leads to no record"
    assert errors(site, stage) == [
        "/: /publications/x/: it leads to a page that is gone",
        "/a/b/: /publications/x/: it leads to a page that is gone",
    ]


def test_links_to_a_redirect_are_told(site, pages, page):
    home = page('<a href="/old/">o</a><a href="/publications/x">x</a>')
    site.redirect("/old/", "publication:x")
    stage = site.stage({**pages, "public/index.html": home}, records=RECORDS)
    assert errors(site, stage) == []
    assert warnings(site, stage) == [
        "/: /old/: it leads to a redirect",
        "/: /publications/x: it leads to a redirect",
    ]


def rewrite(stage, name, text):
    """Change a list of a finished stage behind the back of those who made it."""
    (stage.root / name).write_text(text, "utf-8")
    with closing(sqlite3.connect(stage.manifest_file)) as listing, listing:
        listing.execute("UPDATE files SET size = ? WHERE path = ?", (len(text.encode()), name))


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ("/a/\t/nothing/", "it leads to /nothing/, which does not exist"),
        ("/a/\t/b/\n/b/\t/publications/x/", "it leads to another redirect, /b/"),
        ("/a/\t/a/", "it leads to another redirect, /a/"),
        ("/a/\t/publications/x/\n/a/\t/", "the path stands twice"),
        ("/publications/x/\t/", "it covers an existing page"),
        ("/publications/x\t/", "it covers an existing page"),
        ("/live/a\t/", "it covers a reserved path"),
        ("/.well-known/a\t/", "it covers a reserved path"),
        ("/a/\thttps://elsewhere.example/", "it does not stay on the site"),
        ("/a/\t//elsewhere.example/", "it does not stay on the site"),
    ],
)
def test_redirects_are_verified(site, pages, lines, reason):
    stage = site.stage(pages, records=RECORDS)
    rewrite(stage, "redirects.txt", lines + "\n")
    [error] = check(site.settings, stage).errors
    assert (error.page, error.reason) == ("redirects.txt", reason)


def test_a_published_url_must_not_end_in_nothing(site, pages):
    site.release(
        {**pages, "public/people/a-z/q.html": b"", "public/assets/old.css": b""}, records=RECORDS
    )
    stage = site.stage(pages, records=RECORDS)
    assert errors(site, stage) == []
    rewrite(stage, "redirects.txt", "")
    assert errors(site, stage) == [
        "/people/a-z/q/: published since release 1, now no page, redirect or tombstone"
    ]


def test_tombstones_and_their_list_must_agree(site, pages):
    site.release({**pages, "public/people/q.html": b""}, records={**RECORDS}, prose={})
    records = {**RECORDS, "public/people/ada.html": "person:ada"}
    site.sql("INSERT INTO people VALUES ('ada', 'A', NULL, NULL, NULL, NULL, 0, 'a', 'a', x'')")
    site.release({**pages, "public/people/ada.html": b""}, records=records)
    site.sql("DELETE FROM people")
    stage = site.stage(pages, records=RECORDS)
    assert errors(site, stage) == []
    rewrite(stage, "gone.txt", "/people/other/\n")
    assert errors(site, stage) == [
        "gone.txt: /people/ada/: the tombstone's page would be answered 200",
        "gone.txt: /people/other/: the tombstone has no page",
    ]


def test_processes_find_what_one_finds(site, pages, page):
    many = {f"public/p/{i}.html": page(f'<a href="/nothing/{i}/">n</a>') for i in range(2100)}
    stage = site.stage({**pages, **many}, records=RECORDS)
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        parallel = check(site.settings, stage, full=True, executor=executor)
    assert parallel == check(site.settings, stage, full=True)
    assert len(parallel.errors) == 2100
    lines = parallel.lines()
    assert len(lines) == 21
    assert lines[-1] == "… and 2080 more errors in check-report.txt"
    told = (site.settings.var / "check-report.txt").read_text().splitlines()
    assert len([line for line in told if line.startswith("error: ")]) == 2100


def test_the_live_release_can_be_checked(site, pages):
    assert check(site.settings, site.release(pages, records=RECORDS)).ok


def test_there_must_be_something_to_check_against(site, pages):
    stage = site.stage(pages, records=RECORDS)
    site.settings.snapshot.unlink()
    with pytest.raises(ReleaseError, match="nightpress sync"):
        check(site.settings, stage)
    stage.manifest_file.unlink()
    with pytest.raises(ReleaseError, match="not finished"):
        check(site.settings, stage)
