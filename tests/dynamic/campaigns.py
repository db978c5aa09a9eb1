"""Campaigns against the service that tests run short and `make soak` runs long."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import requests
from sqlalchemy import create_engine, text

from tests.dynamic.process import Browser, Service
from tests.dynamic.smtp import Postbox, smtp_server

PATH = "/services/feedback/publication/el-2026-17_u"
SENDERS = 4


class Losses(AssertionError):
    """Something that was acknowledged is lost, or something is half done."""


def kill_while_posting(
    site: Path, environment: dict[str, str], *, kills: int, seed: int = 4711
) -> dict[str, int]:
    """Kill the service again and again while members send feedback and mails go out.

    Then start it once more, let the mails out and compare: each acknowledged message is
    there once and whole, with both of its mails delivered. Raises Losses otherwise.
    """
    chance = random.Random(seed)
    acknowledged: list[str] = []
    sent = 0
    with smtp_server() as postbox:
        with (site / "pelicanconf.py").open("a") as conf:
            conf.write(f'\nMAIL_SERVER = "127.0.0.1:{postbox.port}"\nMAIL_SECURITY = "none"\n')
        for round_number in range(kills):
            service = Service(site, environment)
            with service:
                stop = threading.Event()
                counts = [0] * SENDERS
                threads = [
                    threading.Thread(
                        target=_send,
                        args=(service, f"{round_number}-{n}", stop, acknowledged, counts, n),
                    )
                    for n in range(SENDERS)
                ]
                for thread in threads:
                    thread.start()
                _wait_for_more(acknowledged)
                time.sleep(chance.uniform(0.0, 0.6))
                service.kill()
                stop.set()
                for thread in threads:
                    thread.join()
                sent += sum(counts)
            service.log.unlink()
        url = environment["NIGHTPRESS_SERVICE_DATABASE"]
        _make_due(url)
        with Service(site, environment) as service:
            _wait_for_mails(url)
            assert service.stop() == 0
        return _compare(url, acknowledged, postbox) | {"kills": kills, "sent": sent}


def _send(
    service: Service,
    name: str,
    stop: threading.Event,
    acknowledged: list[str],
    counts: list[int],
    number: int,
) -> None:
    """Send messages until the service is gone; note those that it acknowledged."""
    try:
        browser = service.browse(f"m-{name}", "member")
        token = browser.token(PATH)
        while not stop.is_set():
            words = f"message {name}-{counts[number]}"
            # Another account each time, so that no limit of requests slows it down.
            browser.headers = _as(browser, f"m-{name}-{counts[number]}")
            counts[number] += 1
            answer = browser.post(PATH, {"csrf_token": token, "text": words, "field_title": "New"})
            if answer.status_code == 303:
                acknowledged.append(words)
    except requests.RequestException:
        return  # killed: what was under way may or may not be there


def _wait_for_more(acknowledged: list[str]) -> None:
    """Wait until another message is acknowledged, so that each kill falls into the work."""
    before = len(acknowledged)
    for _ in range(600):
        if len(acknowledged) > before:
            return
        time.sleep(0.05)
    raise Losses("the service takes no messages")


def _as(browser: Browser, subject: str) -> dict[str, str]:
    return browser.headers | {
        "X-Remote-User": subject,
        "X-Remote-Email": f"{subject}@example.org",
    }


def _make_due(url: str) -> None:
    """Give mails back that a killed worker had claimed, as time would."""
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET due = made"))
    engine.dispose()


def _wait_for_mails(url: str) -> None:
    engine = create_engine(url)
    for _ in range(2400):
        with engine.connect() as connection:
            waiting = connection.scalar(
                text("SELECT count(*) FROM outbox WHERE sent IS NULL AND refused IS NULL")
            )
        if not waiting:
            break
        time.sleep(0.25)
    engine.dispose()
    if waiting:
        raise Losses(f"{waiting} mails never went out")


def _compare(url: str, acknowledged: list[str], postbox: Postbox) -> dict[str, int]:
    engine = create_engine(url)
    with engine.connect() as connection:
        kept = [row[0] for row in connection.execute(text("SELECT text FROM feedback"))]
        halves = connection.scalar(
            text(
                "SELECT count(*) FROM feedback WHERE"
                " (SELECT count(*) FROM feedback_steps s WHERE s.feedback_id = feedback.id) <> 1"
                " OR (SELECT count(*) FROM feedback_corrections c"
                " WHERE c.feedback_id = feedback.id) <> 1"
            )
        )
        queued = [row[0] for row in connection.execute(text("SELECT message_id FROM outbox"))]
    engine.dispose()
    arrived = [str(mail["Message-ID"]) for mail in postbox.mails]
    problems = {
        "lost": len(set(acknowledged) - set(kept)),
        "kept twice": len(kept) - len(set(kept)),
        "half done": int(halves or 0),
        "without both mails": abs(2 * len(kept) - len(queued)),
        "mails lost": len(set(queued) - set(arrived)),
        "mails of nothing": len(set(arrived) - set(queued)),
    }
    if any(problems.values()):
        raise Losses(str(problems))
    return {
        "acknowledged": len(acknowledged),
        "kept": len(kept),
        "mails": len(set(arrived)),
        "mails sent again": len(arrived) - len(set(arrived)),
        **problems,
    }
