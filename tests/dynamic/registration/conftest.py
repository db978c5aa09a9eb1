"""People who come to an event, its organisers, and a clock that stands where a test puts it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from dynamic import database
from dynamic.database import db
from dynamic.outbox import Mail
from dynamic.registration.models import Desk, Registration, Transition
from dynamic.registration.ticks import Ticked, tick
from tests.dynamic.apache_says import SECRET, signed_in
from tests.dynamic.releases import Releases

EVENT = "E-2027-01"
SLUG = "e-2027-01_u"
BEFORE = datetime(2026, 12, 1, 12, tzinfo=UTC)
"""A day on which registration for the event is open."""


@dataclass
class Clock:
    """The only thing that is not real here."""

    at: datetime = BEFORE

    def __call__(self) -> datetime:
        return self.at

    def set(self, *parts: int) -> None:
        self.at = datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]

    def pass_by(self, **time: float) -> None:
        self.at += timedelta(**time)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(database, "clock", clock)
    return clock


@dataclass
class Person:
    """Somebody at a browser."""

    client: FlaskClient
    headers: dict[str, str]
    name: str
    email: str
    answers: dict[str, str] = field(default_factory=lambda: {"q_attendance": "On site"})

    def get(self, path: str) -> Any:
        return self.client.get(f"/services/{path}", headers=self.headers)

    def post(self, path: str, form: str | None = None, **data: Any) -> Any:
        """Post to a path, with the token of the form at `form` (that path, if not named)."""
        token = token_of(self.get(form or path).text)
        return self.send(path, csrf_token=token, **data)

    def send(self, path: str, **data: Any) -> Any:
        """Post to a path exactly what is given."""
        headers = {**self.headers, "Referer": "https://localhost/"}
        return self.client.post(f"/services/{path}", headers=headers, data=data)

    def register(self, slug: str = SLUG, **answers: Any) -> Any:
        data = {"name": self.name, **self.answers, **answers}
        return self.post(f"events/{slug}/register", **data)

    def withdraw(self, slug: str = SLUG) -> Any:
        return self.post(f"events/{slug}/withdraw", f"events/{slug}/registration")

    def take(self, slug: str = SLUG) -> Any:
        return self.post(f"events/{slug}/take", f"events/{slug}/registration")


def token_of(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page
    return found[1]


@dataclass
class House:
    """The service with an event, and what a test can ask of it."""

    app: Flask
    release: Releases
    clock: Clock

    def person(self, subject: str, *groups: str, name: str = "", email: str = "") -> Person:
        email = email or f"{subject}@example.org"
        name = name or f"Person {subject}"
        client = self.app.test_client()
        client.environ_base["wsgi.url_scheme"] = "https"
        headers = signed_in(subject, *(groups or ("member",)), name=name, email=email)
        return Person(client, headers, name, email)

    def stranger(self) -> Person:
        client = self.app.test_client()
        client.environ_base["wsgi.url_scheme"] = "https"
        return Person(client, {"X-Proxy-Secret": SECRET}, "", "")

    def people(self, count: int) -> list[Person]:
        return [self.person(f"p{n}") for n in range(1, count + 1)]

    def organiser(self) -> Person:
        return self.person("ada", "researcher", name="Ada Lovelace", email="ADA@people.example")

    def staff(self) -> Person:
        return self.person("boss", "staff")

    def change(self, **facts: Any) -> None:
        """Publish a release in which the event's record has changed."""
        self.release.events[EVENT].update(facts)
        self.release.publish()

    def tick(self) -> Ticked:
        with self.app.app_context():
            return tick()

    def state(self, subject: str) -> str:
        with self.session():
            return db.session.scalars(
                select(Registration.state).where(Registration.subject == subject)
            ).one()

    def states(self) -> list[tuple[str, str]]:
        """Subject and state of everyone, in order of arrival."""
        with self.session():
            rows = db.session.execute(
                select(Registration.subject, Registration.state).order_by(Registration.arrived)
            )
            return [(row[0], row[1]) for row in rows]

    def registration(self, subject: str) -> Registration:
        with self.session():
            return db.session.scalars(
                select(Registration).where(Registration.subject == subject)
            ).one()

    def desk(self) -> Desk:
        with self.session():
            return db.session.scalars(select(Desk)).one()

    def transitions(self) -> list[tuple[str | None, str, str, str]]:
        with self.session():
            found = db.session.scalars(select(Transition).order_by(Transition.id))
            return [(t.before, t.after, t.by, t.actor) for t in found]

    def mails(self, to: str = "") -> list[EmailMessage]:
        """Return all mails in the outbox, or those to a person, the oldest first."""
        with self.session():
            found = db.session.scalars(select(Mail).order_by(Mail.id))
            mails = [message_from_bytes(m.content, policy=policy.default) for m in found]
        return [m for m in mails if not to or m["To"] == to]  # type: ignore[misc]

    @contextmanager
    def session(self) -> Iterator[None]:
        with self.app.app_context():
            yield


@pytest.fixture
def house(app: Flask, release: Releases, clock: Clock) -> House:
    return House(app, release, clock)


def text_of(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def calendar_of(mail: EmailMessage) -> bytes:
    (found,) = [p for p in mail.walk() if p.get_content_type() == "text/calendar"]
    return bytes(found.get_payload(decode=True))


def links_of(mail: EmailMessage) -> dict[str, str]:
    """Return the paths of the signed links in a mail, by what the line before says."""
    lines = text_of(mail).splitlines()
    return {
        before.split()[0].lower(): line.partition("/services/")[2]
        for before, line in pairwise(lines)
        if "/services/links/" in line
    }
