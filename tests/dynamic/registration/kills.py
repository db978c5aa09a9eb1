"""Kill the service again and again while people register, change and withdraw."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import Engine, create_engine, text

from tests.dynamic.process import Service

ANSWERS = {"q_attendance": "On site"}
AT_ONCE = 4


class Losses(AssertionError):
    """Something that was acknowledged is lost, or something is half done."""


def kill_while_registering(
    site: Path, environment: dict[str, str], slug: str, places: int, *, kills: int, seed: int = 40
) -> dict[str, Any]:
    """Kill the service at any moment of registrations and withdrawals; then compare.

    Each acknowledged registration is there once, with the steps of its state and the mails
    that tell them; no place is given twice; the line has no gap and no double number.
    Raises Losses otherwise.
    """
    chance = random.Random(seed)
    registered: list[str] = []
    withdrawn: list[str] = []
    asked = 0
    for round_number in range(kills):
        with Service(site, environment) as service:
            stop = threading.Event()
            people = [
                threading.Thread(
                    target=_come_and_go,
                    args=(service, slug, f"k{round_number}-{n}", stop, registered, withdrawn),
                )
                for n in range(AT_ONCE)
            ]
            before = len(registered)
            for one in people:
                one.start()
            _wait_for_more(registered, before)
            time.sleep(chance.uniform(0.0, 0.4))
            service.kill()
            stop.set()
            for one in people:
                one.join()
        asked = len(registered)
        service.log.unlink()
    engine = create_engine(environment["NIGHTPRESS_SERVICE_DATABASE"])
    try:
        figures = _compare(engine, set(registered), set(withdrawn), places)
    finally:
        engine.dispose()
    return {"kills": kills, "registrations": asked, "withdrawals": len(withdrawn), **figures}


def _come_and_go(
    service: Service,
    slug: str,
    name: str,
    stop: threading.Event,
    registered: list[str],
    withdrawn: list[str],
) -> None:
    """Register one account after another until the service is gone; every third withdraws."""
    number = 0
    page = f"/services/events/{slug}/"
    try:
        while not stop.is_set():
            subject = f"{name}-{number}"
            number += 1
            browser = service.browse(subject, "member", email=f"{subject}@example.org")
            form = {"name": subject, **ANSWERS}
            if browser.post(f"{page}register", form).status_code != 303:
                continue
            registered.append(subject)
            if number % 3 == 0:
                token = browser.token(f"{page}registration")
                answer = browser.post(f"{page}withdraw", {"csrf_token": token})
                if answer.status_code == 303:
                    withdrawn.append(subject)
    except requests.RequestException:
        return  # killed: what was under way may or may not be there


def _wait_for_more(done: list[str], before: int) -> None:
    for _ in range(1200):
        if len(done) > before:
            return
        time.sleep(0.05)
    raise Losses("the service takes no registrations")


def _compare(
    engine: Engine, registered: set[str], withdrawn: set[str], places: int
) -> dict[str, int]:
    with engine.connect() as connection:
        rows = connection.execute(
            text("SELECT id, subject, state, arrived, email FROM registrations ORDER BY arrived")
        ).all()
        last = connection.execute(
            text("SELECT registration_id, after FROM registration_transitions ORDER BY id")
        ).all()
        mails = Counter(
            row[0] for row in connection.execute(text("SELECT recipient FROM outbox")).all()
        )
    steps = Counter(row[0] for row in last)
    ends = {row[0]: row[1] for row in last}
    state = {row[1]: row[2] for row in rows}
    problems = {
        "lost": len(registered - state.keys()),
        "withdrawals lost": sum(state.get(subject) != "withdrawn" for subject in withdrawn),
        "places given twice": max(
            0, sum(row[2] in ("confirmed", "offered", "attended") for row in rows) - places
        ),
        "gaps in the line": abs(len(rows) - max((row[3] for row in rows), default=0)),
        "state without its step": sum(ends.get(row[0]) != row[2] for row in rows),
        "step without its mail": sum(mails[row[4]] != steps[row[0]] for row in rows),
    }
    if any(problems.values()):
        raise Losses(str(problems))
    return {"kept": len(rows), **problems}
