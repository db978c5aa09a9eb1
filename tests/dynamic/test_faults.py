"""What breaks around the service: clear pages, nothing acknowledged is lost, it goes on after."""

from __future__ import annotations

import resource
import sqlite3
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import close_all_sessions

from dynamic.database import db
from tests.dynamic.process import Service
from tests.dynamic.test_feedback import MEMBER, PUBLICATION, form_of, kept

pytestmark = pytest.mark.usefixtures("release")
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def file_of(app: Flask) -> Path:
    with app.app_context():
        return Path(str(db.engine.url.database))


@only_sqlite
def test_a_locked_database_is_told_and_the_words_are_kept(
    monkeypatch: pytest.MonkeyPatch, app: Flask
) -> None:
    monkeypatch.setattr("dynamic.database.BUSY_SECONDS", 1)
    client = app.test_client()
    fields = form_of(client, PUBLICATION, MEMBER) | {"text": "Long thoughts\nand more"}
    other = sqlite3.connect(file_of(app), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answer = client.post(PUBLICATION, data=fields, headers=MEMBER)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "Long thoughts\nand more</textarea>" in answer.text
    assert "Send again" in answer.text
    other.execute("ROLLBACK")
    other.close()
    assert kept(app) == []
    assert client.post(PUBLICATION, data=fields, headers=MEMBER).status_code == 303


@only_sqlite
def test_a_database_file_that_vanished_is_told_and_not_made_anew(
    app: Flask, client: FlaskClient
) -> None:
    fields = form_of(client, PUBLICATION, MEMBER) | {"text": "Hello"}
    assert client.post(PUBLICATION, data=fields, headers=MEMBER).status_code == 303
    file = file_of(app)
    aside = file.with_name("aside.sqlite")
    with app.app_context():
        db.session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        db.session.commit()
        db.session.remove()
    file.rename(aside)
    fields |= {"submission": "another-form-0000001", "text": "Again"}
    answer = client.post(PUBLICATION, data=fields, headers=MEMBER)
    assert answer.status_code == 503
    assert not file.exists()
    assert client.get("/services/health").status_code == 503
    aside.rename(file)
    assert client.post(PUBLICATION, data=fields, headers=MEMBER).status_code == 303
    assert [one.text for one in kept(app)] == ["Hello", "Again"]


@pytest.mark.parametrize(
    "database_url",
    [pytest.param("postgresql", marks=pytest.mark.needs("postgresql"))],
    indirect=True,
)
def test_a_server_that_went_away_is_told(app: Flask, client: FlaskClient) -> None:
    fields = form_of(client, PUBLICATION, MEMBER) | {"text": "Hello"}
    assert client.post(PUBLICATION, data=fields, headers=MEMBER).status_code == 303
    with app.app_context():
        # Every connection of the pool is cut, as a restart of the server does.
        db.session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
        name = db.session.scalar(text("SELECT current_database()"))
        db.session.rollback()
    fields |= {"submission": "another-form-0000001", "text": "Again"}
    assert client.post(PUBLICATION, data=fields, headers=MEMBER).status_code == 303
    with app.app_context():
        url = db.engine.url.set(database="postgres")
        close_all_sessions()
        db.engine.dispose()
        from sqlalchemy import create_engine

        owner = create_engine(url, isolation_level="AUTOCOMMIT")
        with owner.connect() as connection:
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"))
            answer = client.post(PUBLICATION, data=fields, headers=MEMBER)
            assert answer.status_code == 503
            assert "Again" in answer.text
            connection.execute(text(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true"))
        owner.dispose()
    assert client.post(PUBLICATION, data=fields, headers=MEMBER).status_code == 303


@only_sqlite
def test_a_full_disk_is_told_and_nothing_is_half_done(service: Service) -> None:
    member = service.browse("m-1", "member")
    assert member.post(PUBLICATION, {"text": "First"}).status_code == 303
    assert service.process is not None
    # No file of the process may grow: what a full disk does to it.
    resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    answer = member.post(PUBLICATION, {"text": "No room\n" + "x" * 9000})
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert "No room" in answer.text
    resource.prlimit(
        service.process.pid,
        resource.RLIMIT_FSIZE,
        (resource.RLIM_INFINITY, resource.RLIM_INFINITY),
    )
    assert member.post(PUBLICATION, {"text": "Third"}).status_code == 303
    page = member.get("/services/feedback/").text
    assert page.count('data-h="Reference"') == 2


@only_sqlite
@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 2}', '{"version": 1}'])
def test_a_damaged_service_file_leaves_the_release_before_in_use(
    app: Flask, client: FlaskClient, release: object, damage: str
) -> None:
    from tests.dynamic.releases import Releases

    assert isinstance(release, Releases)
    assert client.get(PUBLICATION, headers=MEMBER).status_code == 200
    release.publish()
    (release.root / "service" / "records.json").write_text(damage)
    assert client.get(PUBLICATION, headers=MEMBER).status_code == 200
    assert (client.get("/services/health").json or {})["parts"]["release"]["state"] == "release 1"


@only_sqlite
def test_writers_of_one_process_take_turns(monkeypatch: pytest.MonkeyPatch, app: Flask) -> None:
    from threading import Thread

    from sqlalchemy.exc import OperationalError

    from dynamic.database import begin_writing

    monkeypatch.setattr("dynamic.database.BUSY_SECONDS", 0.2)
    failed: list[Exception] = []

    def write() -> None:
        with app.app_context():
            try:
                begin_writing()
            except OperationalError as error:
                failed.append(error)

    with app.app_context():
        begin_writing()
        other = Thread(target=write)
        other.start()
        other.join()
        assert len(failed) == 1
        db.session.rollback()
    again = Thread(target=write)  # the turn was given back
    again.start()
    again.join()
    assert len(failed) == 1
