"""The CV book: each company's folder holds what it may see, and a CV that is gone stays gone."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from sqlalchemy import update

from content_sync.cvbook import book as writer
from content_sync.cvbook.book import write_books
from content_sync.errors import BuildError
from content_sync.settings import read_settings
from dynamic.cv import gate, shelf, upkeep
from dynamic.cv.models import AccountPerson, Cv
from dynamic.database import db, now
from tests.dynamic.cv import files
from tests.dynamic.cv.nights import TODAY, Night, make_site, run

pytestmark = pytest.mark.parametrize("release", [None], indirect=True)


@pytest.fixture
def release(request: pytest.FixtureRequest) -> None:
    """The live release is a real one here."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("built") / "site")


@pytest.fixture
def night(built: Path, tmp_path: Path) -> Iterator[Night]:
    night = Night(built, tmp_path / "site")
    yield night
    night.close()


@pytest.fixture
def many(built: Path, tmp_path: Path) -> Iterator[Callable[..., Night]]:
    """Makes sites with further settings."""
    made: list[Night] = []

    def make(**settings: object) -> Night:
        made.append(Night(built, tmp_path / f"site-{len(made)}", **settings))
        return made[-1]

    yield make
    for night in made:
        night.close()


def _companies(night: Night) -> list[str]:
    return sorted(f.name for f in night.book.iterdir() if not f.name.startswith("."))


def test_each_company_gets_exactly_what_it_may_see(night: Night) -> None:
    companies = ["kirimoto-precision", "blechwerk-sensorik", "nordvik-microsystems"]
    everyone = night.send("s-1", name="Anna All")
    some = night.send("s-2", name="Carl Chosen", shown_to="chosen", chosen=companies[:1])
    blocked = night.send("s-3", name="Bela Blocked", blocked=companies[1:2])
    report = night.write()
    assert (report.cvs, report.missing) == (3, {})
    assert report.companies == len(_companies(night)) >= 5
    seen = {c: {f.name for f in (night.book / c).iterdir() if len(f.name) == 32} for c in companies}
    assert seen == {
        companies[0]: {everyone, some, blocked},
        companies[1]: {everyone},
        companies[2]: {everyone, blocked},
    }
    assert night.holds("Carl Chosen", below=night.book / companies[2]) == []
    assert night.holds(blocked, below=night.book / companies[1]) == []
    file = night.book / companies[0] / some / "carl-chosen-cv.pdf"
    assert file.read_bytes() == files.pdf()


def test_nothing_of_cvs_is_in_a_release_and_no_rollback_brings_one_back(night: Night) -> None:
    cv_id = night.send("s-1", name="Zebulon Quixote")
    for number in range(2):
        with (night.site / "pelicanconf.py").open("a") as conf:
            conf.write(f"SITESUBTITLE = 'edition {number}'\n")
        run("nightly", "--site", str(night.site))
    assert night.holds(cv_id)
    for word in (cv_id, "Zebulon", files.TEXT, "s-1@people.example"):
        assert night.holds(word, below=night.site / "output") == []
    night.withdraw()
    run("rollback", "--site", str(night.site))
    run("cv", "book", "--site", str(night.site))
    assert night.holds(cv_id) == night.holds("Zebulon") == []


def test_works_are_shown_and_verified_only_where_the_account_is_tied(night: Night) -> None:
    with closing(sqlite3.connect(night.site / "var" / "snapshot.sqlite")) as snapshot:
        person, given, family = snapshot.execute(
            "SELECT p.id, p.given_name, p.family_name FROM people p JOIN people_accounts a"
            " ON a.person_id = p.id JOIN publication_people pp ON pp.person_id = p.id"
            " WHERE p.given_name IS NOT NULL ORDER BY p.id LIMIT 1"
        ).fetchone()
    name = f"{given} {family}"
    by_address = night.send("s-1", name=name, email=f"{person.upper()}@people.example")
    by_name = night.send("s-2", name=name, email="somebody@else.example")
    by_staff = night.send("s-3", name="Other Name", email="third@else.example")
    with night.app.app_context():
        db.session.add(AccountPerson(subject="s-3", person_id=person, tied_by="boss", tied=now()))
        db.session.commit()
    assert night.write().verified == 2
    company = night.book / _companies(night)[0]
    for cv_id in (by_address, by_staff):
        page = (company / cv_id / "index.html").read_text()
        assert "✓ Verified" in page
        assert f"/people/{person}/" in page
        assert HTMLParser(page).css(".works li")
    page = (company / by_name / "index.html").read_text()
    assert "✓ Verified" not in page
    assert "not verified" in page
    assert "proves nothing" in page
    assert not HTMLParser(page).css(".works li")


def test_an_address_of_two_people_ties_to_neither(night: Night) -> None:
    with closing(sqlite3.connect(night.site / "var" / "snapshot.sqlite")) as snapshot, snapshot:
        people = snapshot.execute("SELECT id FROM people ORDER BY id LIMIT 2").fetchall()
        for (person,) in people:
            snapshot.execute(
                "INSERT INTO people_accounts VALUES (?, 'shared@lab.example', x'00')", (person,)
            )
    night.send(email="shared@lab.example")
    assert night.write().verified == 0


def test_lists_work_without_a_script_and_hold_what_the_script_needs(night: Night) -> None:
    night.send("s-1", name="Anna", degree="master", topics=("Chip cooling", "Metrology"))
    night.send("s-2", name="Bert", degree="doctorate", topics=("chip  cooling",))
    night.write()
    company = night.book / _companies(night)[0]
    index = HTMLParser((company / "index.html").read_text())
    assert [a.text() for a in index.css("#cvs h3 a")] == ["Anna", "Bert"]
    for link in index.css("#filters a, #cvs h3 a"):
        assert (company / (link.attributes["href"] or "") / "index.html").is_file()
    cooling = HTMLParser((company / "topic" / "chip-cooling" / "index.html").read_text())
    assert [a.text() for a in cooling.css("#cvs h3 a")] == ["Anna", "Bert"]
    doctors = HTMLParser((company / "degree" / "doctorate" / "index.html").read_text())
    assert [a.text() for a in doctors.css("#cvs h3 a")] == ["Bert"]
    for link in (*doctors.css("#filters a"), *doctors.css("#cvs h3 a")):
        target = company / "degree" / "doctorate" / (link.attributes["href"] or "")
        assert (target / "index.html").is_file()


def test_hostile_words_stay_words(night: Night) -> None:
    evil = '<script>alert(1)</script>"><!--/cv:x--><img src=x onerror=alert(1)>'
    night.send(name=evil, field=evil, topics=(evil[:60], "..", "a/b", "con"), links=())
    night.write()
    for page in night.book.rglob("*.html"):
        tree = HTMLParser(page.read_text())
        assert not tree.css("script:not([src])")
        assert not tree.css("img")
    assert not [f for f in night.site.rglob("*") if "script" in f.name and f.suffix == ".html"]


def test_withdrawing_leaves_no_trace_in_any_book(night: Night) -> None:
    stays = night.send("s-2", name="Stays Here", topics=("Shared topic",))
    goes = night.send("s-1", name="Goes Away", topics=("Shared topic", "Rare topic"))
    night.write()
    assert night.holds("Rare topic")
    night.withdraw("s-1")
    for word in (goes, "Goes Away", "goes-away", "Rare topic", "rare-topic"):
        assert night.holds(word) == []
    assert night.holds("Stays Here")
    company = night.book / _companies(night)[0]
    index = HTMLParser((company / "index.html").read_text())
    assert [a.text() for a in index.css("#cvs h3 a")] == ["Stays Here"]
    for link in index.css("#filters a"):
        assert (company / (link.attributes["href"] or "") / "index.html").is_file()
    assert not (night.site / "var" / "cv-store" / "x").exists()
    assert len(list((night.site / "var" / "cv-store").iterdir())) == 1
    night.write()
    assert night.holds(goes) == []
    assert night.holds(stays)


def test_blocking_takes_effect_before_it_is_confirmed(night: Night) -> None:
    cv_id = night.send(name="Picky Person")
    night.write()
    first, *others = _companies(night)
    night.send(name="Picky Person", blocked=(first,))
    assert night.holds(cv_id, below=night.book / first) == []
    assert night.holds("Picky Person", below=night.book / first) == []
    assert all(night.holds(cv_id, below=night.book / other) for other in others)
    night.write()
    assert night.holds(cv_id, below=night.book / first) == []
    night.send(name="Picky Person")
    night.write()
    assert night.holds(cv_id, below=night.book / first)


def test_a_cv_withdrawn_while_the_books_are_written_is_in_none(
    night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes = night.send("s-1", name="Goes Midway")
    night.send("s-2", name="Stays")
    night.write()
    night.export()
    switches = []
    switch = writer.switch

    def withdraw_at_the_fourth(new: Path, live: Path) -> None:
        switches.append(live)
        switch(new, live)
        if len(switches) == 4:
            # As if in another process, as the service is: only the lock on the file counts.
            thread = threading.Thread(target=night.withdraw, args=("s-1",))
            thread.start()
            threads.append(thread)

    threads: list[threading.Thread] = []
    monkeypatch.setattr(writer, "switch", withdraw_at_the_fourth)
    monkeypatch.setattr(gate, "_here", threading.Lock())
    report = write_books(read_settings(night.site), today=TODAY)
    for thread in threads:
        thread.join()
    assert report is not None
    assert night.cv("s-1") is None
    assert night.holds(goes) == night.holds("Goes Midway") == []


def test_an_export_of_yesterday_shows_nobody_who_left_today(night: Night) -> None:
    goes = night.send("s-1", name="Left Today")
    picky = night.send("s-2", name="Picky")
    night.export()
    export = night.site / "var" / "service-export.sqlite"
    shutil.copy(export, night.site / "old-export")
    night.withdraw("s-1")
    first = "kirimoto-precision"
    night.send("s-2", name="Picky", blocked=(first,))
    shutil.copy(night.site / "old-export", export)
    write_books(read_settings(night.site), today=TODAY)
    assert night.holds(goes) == []
    assert night.holds(picky, below=night.book / first) == []


def test_a_restored_database_brings_no_cv_back(night: Night) -> None:
    goes = night.send(name="Came Back")
    database = night.site / "var" / "service.sqlite"
    store = night.site / "var" / "cv-store"
    with (
        closing(sqlite3.connect(database)) as source,
        closing(sqlite3.connect(night.site / "backup")) as target,
    ):
        source.backup(target)
    shutil.copytree(store, night.site / "store-backup")
    night.withdraw()
    night.close()
    for name in ("service.sqlite-wal", "service.sqlite-shm"):
        (night.site / "var" / name).unlink(missing_ok=True)
    shutil.copy(night.site / "backup", database)
    shutil.copytree(night.site / "store-backup", store, dirs_exist_ok=True)
    night.write()
    assert night.cv() is not None
    assert night.holds(goes) == []
    with night.app.app_context():
        assert upkeep.tend()["brought back and purged"] == 1
    assert night.cv() is None
    assert list(store.iterdir()) == []


def test_nothing_is_confirmed_while_a_node_cannot_be_reached(
    many: Callable[..., Night], tmp_path: Path
) -> None:
    here, there = tmp_path / "node-1", tmp_path / "node-2"
    for node in (here, there):
        node.mkdir()
    night = many(CV_BOOK_FOLDERS=[str(here), str(there)])
    cv_id = night.send(name="Two Nodes")
    night.write()
    assert night.holds(cv_id, below=here)
    assert night.holds(cv_id, below=there)
    there.rename(tmp_path / "away")
    there.mkdir()  # the mount point without its disk
    with pytest.raises(shelf.NotGone):
        night.withdraw()
    cv = night.cv()
    assert cv is not None
    assert cv.leaving is not None
    with night.app.app_context():
        assert not cv.may_read("kirimoto-precision")
        assert upkeep.finish_withdrawals() == 0
    there.rmdir()
    (tmp_path / "away").rename(there)
    with night.app.app_context():
        db.session.execute(update(Cv).values(leaving=now() - timedelta(minutes=5)))
        db.session.commit()
        assert upkeep.finish_withdrawals() == 1
    assert night.cv() is None
    assert night.holds(cv_id, below=here) == night.holds(cv_id, below=there) == []


def test_a_file_that_is_not_what_arrived_is_in_no_book(night: Night) -> None:
    cv_id = night.send(name="Changed Bytes")
    (file,) = (night.site / "var" / "cv-store").iterdir()
    file.write_bytes(file.read_bytes()[:-1] + b"X")
    report = night.write()
    assert report.missing == {cv_id: "its bytes are not those that arrived"}
    assert night.holds(cv_id) == []


def test_a_cv_whose_year_is_over_is_in_no_book(night: Night) -> None:
    cv_id = night.send()
    night.export()
    with night.app.app_context():
        db.session.execute(update(Cv).values(expires=now() - timedelta(seconds=1)))
        db.session.commit()
    night.write()
    assert night.holds(cv_id) == []


def test_a_company_that_left_has_no_book_any_more(night: Night) -> None:
    night.send()
    night.write()
    (night.book / "no-longer-a-member").mkdir()
    (night.book / "no-longer-a-member" / "index.html").write_text("old")
    night.write()
    assert "no-longer-a-member" not in _companies(night)


def test_a_company_may_be_named_by_another_claim(many: Callable[..., Night]) -> None:
    night = many(CV_COMPANIES={"krmt": "kirimoto-precision", "guest": "A Guest Company"})
    cv_id = night.send(shown_to="chosen", chosen=("krmt",))
    night.write()
    assert "kirimoto-precision" not in _companies(night)
    assert night.holds(cv_id, below=night.book / "krmt")
    assert "Kirimoto Precision" in (night.book / "krmt" / "index.html").read_text()
    assert "A Guest Company" in (night.book / "guest" / "index.html").read_text()


def test_books_without_an_export_stay_as_they_are_and_say_so(night: Night) -> None:
    assert write_books(read_settings(night.site), today=TODAY) is None
    cv_id = night.send()
    night.write()
    (night.site / "var" / "service-export.sqlite").unlink()
    with pytest.raises(BuildError, match="exports no list"):
        write_books(read_settings(night.site), today=TODAY)
    assert night.holds(cv_id)


def test_a_reader_never_misses_a_book_while_it_is_switched(night: Night) -> None:
    night.send()
    night.write()
    index = night.book / "kirimoto-precision" / "index.html"
    stop, missed, read = threading.Event(), [], []

    def look() -> None:
        while not stop.is_set():
            try:
                read.append(len(index.read_bytes()))
            except FileNotFoundError as error:
                missed.append(error)

    thread = threading.Thread(target=look)
    thread.start()
    for _ in range(5):
        night.write()
    stop.set()
    thread.join()
    assert read
    assert not missed
