import pytest

from content_sync.release.departed import read_redirects
from content_sync.release.manifest import Manifest
from content_sync.release.verify import check

HOME = {"public/index.html": b"home", "public/people/index.html": b"people"}


def redirects(stage):
    return dict(read_redirects((stage.root / "redirects.txt").read_text("utf-8")))


def gone(stage):
    return (stage.root / "gone.txt").read_text("utf-8").split()


def test_a_record_gone_from_the_source_gets_a_tombstone(site, page):
    records = {"public/people/ada.html": "person:ada"}
    site.release({**HOME, "public/people/ada.html": b"ada"}, records=records)
    stage = site.stage(HOME)
    assert gone(stage) == ["/people/ada/"]
    assert redirects(stage) == {}
    assert (stage.root / "public/people/ada.html").read_bytes() == page("This page is gone.")


def test_a_tombstone_stays_and_is_made_again_only_when_its_look_changes(site):
    records = {"public/people/ada.html": "person:ada"}
    site.release({**HOME, "public/people/ada.html": b"ada"}, records=records)
    first = site.release(HOME)
    second = site.release({**HOME, "public/index.html": b"home 2"})
    assert site.rendered == ["/people/ada/"]
    assert gone(second) == ["/people/ada/"]
    file = "public/people/ada.html"
    assert (first.root / file).stat().st_ino == (second.root / file).stat().st_ino
    third = site.release(HOME, gone_key=b"new look")
    assert site.rendered == ["/people/ada/"] * 2
    assert (third.root / file).stat().st_ino != (second.root / file).stat().st_ino


def test_a_record_that_returns_takes_the_place_of_its_tombstone(site):
    records = {"public/people/ada.html": "person:ada"}
    with_ada = {**HOME, "public/people/ada.html": b"ada"}
    site.release(with_ada, records=records)
    site.release(HOME)
    stage = site.stage(with_ada, records=records)
    assert gone(stage) == []
    assert (stage.root / "public/people/ada.html").read_bytes() == b"ada"


def test_prose_that_was_taken_down_gets_a_tombstone(site):
    site.release(HOME, prose={"public/news/old.html": b"old", "public/about/index.html": b"about"})
    stage = site.stage(HOME)
    assert gone(stage) == ["/about/", "/news/old/"]


def test_a_record_that_became_members_only_redirects_there(site):
    records = {
        "public/publications/x.html": "publication:x",
        "members/publications/x.html": "publication:x",
    }
    site.release(
        {
            **HOME,
            "public/publications/x.html": b"x",
            "public/publications/x/x.pdf": b"pdf",
            "public/publications/x/old.pdf": b"pdf",
        },
        records=records,
    )
    stage = site.stage(
        {**HOME, "members/publications/x.html": b"x", "members/publications/x/x.pdf": b"pdf"},
        records=records,
    )
    assert redirects(stage) == {
        "/publications/x/": "/members/publications/x/",
        "/publications/x/x.pdf": "/members/publications/x/x.pdf",
        "/publications/x/old.pdf": "/members/publications/x/",
    }
    assert not (stage.root / "public/publications").exists()


def test_a_members_page_of_a_record_that_became_public_needs_nothing(site):
    records = {
        "public/publications/x.html": "publication:x",
        "members/publications/x.html": "publication:x",
    }
    site.release({**HOME, "members/publications/x.html": b"x"}, records=records)
    stage = site.stage({**HOME, "public/publications/x.html": b"x"}, records=records)
    assert (redirects(stage), gone(stage)) == ({}, [])


@pytest.mark.parametrize(
    ("vanished", "target"),
    [
        ("public/people/a-z/q.html", "/people/"),
        ("public/people/a-z/a/3.html", "/people/a-z/a/"),
        ("public/institutions/2.html", "/institutions/"),
        ("public/venues/acl/2019/2.html", "/venues/acl/2019/"),
        ("public/venues/acl/1950.html", "/venues/acl/"),
        ("public/years/1950.html", "/years/"),
        ("public/projects/index.html", "/"),
        ("members/people/a-z/a/3.html", "/people/a-z/a/"),
        ("members/venues/acl/1950.html", "/members/venues/acl/"),
    ],
)
def test_a_listing_page_that_vanished_redirects_to_the_page_above(site, vanished, target):
    stay = {
        **HOME,
        "public/people/a-z/a.html": b"a",
        "public/institutions/index.html": b"i",
        "public/venues/acl.html": b"acl",
        "public/venues/acl/2019.html": b"acl 2019",
        "public/years/index.html": b"years",
        "members/venues/acl.html": b"acl for members",
    }
    site.release({**stay, vanished: b"surplus"})
    stage = site.stage(stay)
    assert list(redirects(stage).values()) == [target]
    assert gone(stage) == []


def test_listing_pages_of_a_record_that_is_gone_lead_to_its_tombstone(site):
    records = {"public/venues/acl.html": "venue:acl"}
    site.release(
        {**HOME, "public/venues/acl.html": b"acl", "public/venues/acl/2019.html": b"y"},
        records=records,
    )
    stage = site.stage(HOME)
    assert gone(stage) == ["/venues/acl/"]
    assert redirects(stage) == {"/venues/acl/2019/": "/venues/acl/"}


def test_a_record_whose_id_is_a_number_is_no_surplus_page(site):
    records = {"public/people/2.html": "person:2"}
    site.release({**HOME, "public/people/2.html": b"two"}, records=records)
    assert gone(site.stage(HOME)) == ["/people/2/"]


def test_files_that_vanished_lead_to_their_page_or_are_gone(site):
    records = {"public/publications/x.html": "publication:x"}
    kept = {**HOME, "public/publications/x.html": b"x"}
    site.release(
        {
            **kept,
            "public/publications/x/x.pdf": b"pdf",
            "public/images/logo.png": b"png",
            "public/assets/old.1234.css": b"",
            "public/search-index/0.bin": b"",
        },
        records=records,
    )
    stage = site.stage(kept)
    assert redirects(stage) == {"/publications/x/x.pdf": "/publications/x/"}
    assert gone(stage) == ["/images/logo.png"]


def test_pages_can_be_answered_410_with_a_page_of_their_own(site):
    pages = {**HOME, "public/publications/w.html": b"withdrawn"}
    stage = site.stage(pages, also_gone=["/publications/w/"])
    assert gone(stage) == ["/publications/w/"]
    assert (stage.root / "public/publications/w.html").read_bytes() == b"withdrawn"


def test_redirects_of_the_source_are_followed(site):
    records = {"public/people/ada.html": "person:ada", "members/events/e.html": "event:e"}
    for old, target in {
        "/staff/../x": "/",
        "/~ada/": "person:ada",
        "/show.asp?id=5": "/people/ada/?tab=1#works",
        "https://press.example/old%20page": "/people",
        "/chain": "/~ada/",
        "/event": "event:e",
    }.items():
        site.redirect(old, target)
    stage = site.stage(
        {**HOME, "public/people/ada.html": b"ada", "members/events/e.html": b"e"},
        records=records,
    )
    assert redirects(stage) == {
        "/~ada/": "/people/ada/",
        "/show.asp?id=5": "/people/ada/?tab=1#works",
        "/old page": "/people/",
        "/chain": "/people/ada/",
        "/members/event": "/members/events/e/",
    }
    assert [(r.old_path, r.reason) for r in site.settled.refused] == [
        ("/staff/../x", "it is no path of this site")
    ]


@pytest.mark.parametrize(
    ("old", "target", "reason"),
    [
        ("/members/x/", "/people/", "must not be covered"),
        ("/search", "/people/", "must not be covered"),
        ("/assets/a.css", "/people/", "must not be covered"),
        ("/people/", "/", "covers the page /people/"),
        ("/people", "/", "covers the page /people/"),
        ("/people/index.html", "/", "covers the page /people/index.html"),
        ("/", "/people/", "covers the page /"),
        ("/x", "https://elsewhere.example/", "leads to no page"),
        ("/x", "//elsewhere.example/", "leads to no page"),
        ("/x", "/\\elsewhere.example/", "leads to no page"),
        ("/x", "javascript:alert(1)", "leads to no page"),
        ("/x", "person:nobody", "leads to no page"),
        ("/x", "/nothing/", "leads to no page"),
        ("/x", "/x", "in a circle"),
        ("//evil/", "/", "no path of this site"),
        ("https://other.example/x", "/", "no path of this site"),
        ("/x%0d%0aSet-Cookie: a", "/", "no path of this site"),
        ("/x\ty", "/", "no path of this site"),
        ("", "/", "no path of this site"),
    ],
)
def test_redirects_of_the_source_that_cannot_be_followed_are_refused(site, old, target, reason):
    site.redirect(old, target)
    stage = site.stage(HOME)
    assert redirects(stage) == {}
    [refused] = site.settled.refused
    assert reason in refused.reason
    assert check(site.settings, stage).errors == []


def test_redirects_in_a_circle_and_those_that_lead_into_it_are_refused(site):
    for old, target in {"/a": "/b", "/b": "/a", "/c": "/a", "/d": "/people/"}.items():
        site.redirect(old, target)
    assert redirects(site.stage(HOME)) == {"/d": "/people/"}
    assert [r.old_path for r in site.settled.refused] == ["/a", "/b", "/c"]


def test_a_redirect_of_the_source_goes_before_a_tombstone(site):
    records = {"public/people/ada.html": "person:ada", "public/people/al.html": "person:al"}
    both = {**HOME, "public/people/ada.html": b"ada", "public/people/al.html": b"al"}
    site.release(both, records=records)
    only = {**HOME, "public/people/ada.html": b"ada"}
    site.release(only, records=records)
    site.redirect("/people/al/", "person:ada")
    stage = site.stage(only, records=records)
    assert redirects(stage) == {"/people/al/": "/people/ada/"}
    assert gone(stage) == []
    assert not (stage.root / "public/people/al.html").exists()


def test_an_old_path_that_names_the_file_of_a_tombstone_is_still_refused(site):
    records = {"public/people/ada.html": "person:ada"}
    site.release({**HOME, "public/people/ada.html": b"ada"}, records=records)
    site.redirect("/people/ada.html", "/people/")
    stage = site.stage(HOME)
    assert redirects(stage) == {}
    assert gone(stage) == ["/people/ada/"]
    assert check(site.settings, stage).errors == []


def test_the_lists_do_not_depend_on_what_was_built_before(site, new_site):
    other = new_site()
    records = {"public/people/ada.html": "person:ada"}
    for each in (site, other):
        each.release({**HOME, "public/people/ada.html": b"ada"}, records=records)
        each.release(HOME)
    upon, anew = site.stage(HOME), other.stage(HOME, full=True)
    assert _listed(upon) == _listed(anew)


def _listed(release):
    with Manifest(release.manifest_file) as listing:
        return list(listing.entries())
