"""What is known of a person is told and erased in every part; docs/privacy.md lists it all."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from dynamic.database import db
from dynamic.delivery import deliver
from dynamic.privacy import erase_person, export_person
from tests.dynamic.apache_says import signed_in
from tests.dynamic.test_feedback import PUBLICATION, STAFF, kept, send

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "privacy.md"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_column_of_every_table_is_accounted_for(app: Flask) -> None:
    words = DOCUMENT.read_text("utf-8")
    listed = set(re.findall(r"`(\w+\.\w+)`", words))
    for part in re.findall(r"Not about a person: (.*?)\.\n", words, re.DOTALL):
        for group in part.split(";"):
            table, *columns = re.findall(r"`(\w+)`", group)
            listed |= {f"{table}.{column}" for column in columns}
    there = {
        f"{table.name}.{column.name}"
        for table in db.metadata.sorted_tables
        for column in table.columns
    }
    assert there - listed == set()
    fields = {name for name in listed if name.partition(".")[0] in db.metadata.tables}
    assert fields - there == set()


@pytest.mark.usefixtures("release")
def test_all_of_a_person_is_told_and_erased_and_nobody_elses(
    app: Flask, client: FlaskClient
) -> None:
    work = signed_in("m-1", "member", name="Ann Oyme", email="Ann@work.example")
    home = signed_in("m-1", "member", name="Ann Oyme", email="ann@home.example")
    other = signed_in("m-2", "member", name="Bo", email="bo@work.example")
    send(client, headers=work, text="From work", field_title="Better")
    send(client, headers=home, text="From home")
    send(client, headers=other, text="Another")
    send(client, "/services/staff/feedback/3", STAFF, state="working")
    with app.app_context():
        deliver(most=3)
        folder = app.config["SETTINGS"].mail_folder
        assert len(list(folder.iterdir())) == 3
        told = export_person("ann@work.example")
        assert told["person"]["accounts"] == ["ann@work.example", "m-1"]
        assert "ann@home.example" in told["person"]["addresses"]
        assert [f["text"] for f in told["feedback"]["sent"]] == ["From work", "From home"]
        assert {m["to"].lower() for m in told["mails"]} == {"ann@work.example", "ann@home.example"}
        json.dumps(told)
        gone = erase_person("ann@work.example")
        assert (gone["feedback"], gone["mails"]) == (2, 4)
        assert export_person("m-1")["feedback"]["sent"] == []
        export = app.config["SETTINGS"].export.read_bytes()
        assert b"EL-2026-17" not in export
    assert [f.text for f in kept(app)] == ["Another"]
    left = b"".join(file.read_bytes() for file in folder.iterdir())
    assert b"ann@" not in left.lower()
    with app.app_context():
        steps = db.session.execute(text("SELECT count(*) FROM feedback_steps")).scalar()
        assert steps == 2
        assert erase_person("s-1")["feedback"] == 1  # staff: the step stays, the name goes
        assert [s.by for s in kept(app)[0].steps] == ["", ""]


@pytest.mark.usefixtures("release")
def test_nobody_is_found_by_a_part_of_an_address(app: Flask, client: FlaskClient) -> None:
    send(client, PUBLICATION, text="Hello")
    with app.app_context():
        for person in ("%", "lukasz", "example.org", "_", "lukasz@example.or"):
            assert erase_person(person)["feedback"] == 0
    assert len(kept(app)) == 1
