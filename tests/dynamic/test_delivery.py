"""Mails leave the outbox: once it is committed, until somebody took them, never twice at will."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask

from content_sync.operations.children import free_port
from dynamic import delivery
from dynamic.database import begin_writing, db, now
from dynamic.delivery import deliver
from dynamic.outbox import Mail, queue_mail, state_of_outbox
from dynamic.worker import Worker, prune
from tests.dynamic.process import ROOT
from tests.dynamic.smtp import smtp_server


def queue(app: Flask, *recipients: str, text: str = "Hello Łukasz") -> None:
    with app.app_context():
        begin_writing()
        for recipient in recipients:
            queue_mail(recipient, "Über\r\nBcc: x@y.example", text, reason="Because.")
        db.session.commit()


def use_server(app: Flask, port: int) -> None:
    app.config["SETTINGS"] = replace(
        app.config["SETTINGS"], mail_server=f"127.0.0.1:{port}", mail_security="none"
    )


def make_due(app: Flask) -> None:
    with app.app_context():
        db.session.query(Mail).update({Mail.due: now() - timedelta(seconds=1)})
        db.session.commit()


def rows(app: Flask) -> list[Mail]:
    with app.app_context():
        return db.session.query(Mail).order_by(Mail.id).all()


def test_a_mail_arrives_once_and_whole(app: Flask) -> None:
    queue(app, "a@example.org", text="Ünïcode 再见\n" + "x" * 2000 + "\n.\nend")
    with smtp_server() as postbox:
        use_server(app, postbox.port)
        with app.app_context():
            assert deliver().sent == 1
            assert deliver().sent == 0
    (mail,) = postbox.mails
    assert mail["Message-ID"] == rows(app)[0].message_id
    assert mail["Subject"] == "Über Bcc: x@y.example"
    assert mail["Bcc"] is None
    assert mail["Auto-Submitted"] == "auto-generated"
    words = mail.get_content().replace("\r\n", "\n")
    assert "再见" in words
    assert "x" * 2000 in words
    assert "\n.\nend" in words
    assert words.rstrip().endswith("-- \nEllmark Consortium\nBecause.")


def test_a_server_that_is_down_is_tried_again(app: Flask) -> None:
    queue(app, "a@example.org", "b@example.org")
    port = free_port()
    use_server(app, port)
    with app.app_context():
        assert deliver().is_down
    assert Worker(app).round() > 0
    make_due(app)
    with smtp_server(port=port) as postbox, app.app_context():
        assert deliver().sent == 2
    assert sorted(postbox.recipients) == ["a@example.org", "b@example.org"]


def test_an_address_that_is_refused_for_good_is_given_up_and_told(app: Flask) -> None:
    queue(app, "gone@example.org", "here@example.org")
    with smtp_server() as postbox:
        postbox.answers["gone@example.org"] = "550 No such user"
        use_server(app, postbox.port)
        with app.app_context():
            done = deliver()
            assert (done.sent, done.refused) == (1, 1)
            assert state_of_outbox().refused == 1
            assert deliver().sent == 1
    assert postbox.recipients == ["here@example.org", "office@example.org"]
    told = postbox.mails[1].get_content()
    assert "gone@example.org" in told
    assert "550 No such user" in told


def test_a_full_mailbox_is_tried_again_after_growing_pauses(app: Flask) -> None:
    queue(app, "full@example.org")
    pauses = []
    with smtp_server() as postbox:
        postbox.answers["full@example.org"] = "452 Mailbox full"
        use_server(app, postbox.port)
        for _ in range(9):
            with app.app_context():
                assert deliver().postponed == 1
            (mail,) = rows(app)
            pauses.append((mail.due - now()).total_seconds())
            make_due(app)
        del postbox.answers["full@example.org"]
        with app.app_context():
            assert deliver().sent == 1
    assert pauses[1] > pauses[0]
    assert pauses[4] > pauses[3]
    assert max(pauses) <= 30 * 60
    assert rows(app)[0].tries == 10


def test_a_worker_killed_in_between_sends_the_same_mail_again(
    app: Flask, site_folder: Path, environment: dict[str, str]
) -> None:
    queue(app, "a@example.org")
    with smtp_server() as postbox:
        use_server(app, postbox.port)
        with (site_folder / "pelicanconf.py").open("a") as conf:
            conf.write(f'MAIL_SERVER = "127.0.0.1:{postbox.port}"\nMAIL_SECURITY = "none"\n')
        command = ("service", "worker", "--once", "--site", str(site_folder))
        worker = subprocess.Popen(
            [sys.executable, "-m", "content_sync.cli", *command],
            cwd=ROOT,
            env={**os.environ, **environment},
        )
        postbox.on_mail = worker.kill
        assert worker.wait(60) != 0
        postbox.on_mail = None
        with app.app_context():
            assert deliver().sent == 0  # it belongs to the dead worker for a while
        make_due(app)
        with app.app_context():
            assert deliver().sent == 1
    assert len(postbox.mails) == 2
    assert len({mail["Message-ID"] for mail in postbox.mails}) == 1


def test_many_workers_send_each_mail_once(app: Flask) -> None:
    queue(app, *(f"r{n}@example.org" for n in range(30)))

    def work() -> None:
        with app.app_context():
            for _ in range(3):
                deliver()

    with smtp_server() as postbox:
        use_server(app, postbox.port)
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(postbox.recipients) == sorted(f"r{n}@example.org" for n in range(30))


def test_without_a_server_each_mail_is_a_file(app: Flask) -> None:
    queue(app, "a@example.org")
    with app.app_context():
        assert deliver().sent == 1
    (mail,) = rows(app)
    folder = app.config["SETTINGS"].mail_folder
    (file,) = folder.iterdir()
    assert file.name == delivery.file_name(mail)
    assert file.suffix == ".eml"
    assert file.read_bytes().startswith(mail.content)
    # What was said, and links that open something, are not kept once they have left.
    assert b"Because." in file.read_bytes()
    assert b"Because." not in mail.content
    assert file.stat().st_mode & 0o77 == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_went_out_long_ago_is_deleted(app: Flask) -> None:
    queue(app, "old@example.org", "new@example.org", "waiting@example.org")
    with app.app_context():
        old, new, _ = db.session.query(Mail).order_by(Mail.id)
        old.sent, new.sent = now() - timedelta(days=31), now()
        db.session.commit()
        assert prune() == 1
    assert [m.recipient for m in rows(app)] == ["new@example.org", "waiting@example.org"]


@pytest.mark.parametrize(
    "address", ["", "a", "a@b@c", "a b@c.example", "a@b.example\nBcc: c@d.example", "a@-b.example"]
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_address_is_not_mailed(app: Flask, address: str) -> None:
    with app.app_context(), pytest.raises(ValueError, match="no mail address"):
        queue_mail(address, "x", "x", reason="x")
