"""The service as it runs: Waitress on a port, asked over HTTP."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from content_sync.operations.children import free_port
from tests.dynamic.apache_says import SECRET, signed_in
from tests.dynamic.process import ROOT, Service
from tests.dynamic.releases import Releases
from tests.dynamic.smtp import smtp_server
from tests.dynamic.test_feedback import PUBLICATION

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def nightpress(site: Path, environment: dict[str, str], *words: str) -> tuple[int, str]:
    """Run a command; return its exit code and all that it said."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("NIGHTPRESS_")}
    done = subprocess.run(
        [sys.executable, "-m", "content_sync.cli", *words, "--site", str(site)],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


@only_sqlite
def test_it_does_not_start_without_secret_or_tables(
    site_folder: Path, environment: dict[str, str]
) -> None:
    without = {k: v for k, v in environment.items() if k != "NIGHTPRESS_PROXY_SECRET"}
    code, said = nightpress(site_folder, without, "service", "run")
    assert (code, "NIGHTPRESS_PROXY_SECRET" in said) == (2, True)
    fresh = environment | {"NIGHTPRESS_SERVICE_DATABASE": ""}
    code, said = nightpress(site_folder, fresh, "service", "run")
    assert code == 1
    assert "nightpress service migrate" in said
    assert not (site_folder / "var" / "service.sqlite").exists()
    assert nightpress(site_folder, fresh, "service", "migrate")[0] == 0
    assert (site_folder / "var" / "service.sqlite").stat().st_mode & 0o77 == 0
    assert nightpress(site_folder, fresh, "service", "migrate")[0] == 0
    gone = environment | {"NIGHTPRESS_SERVICE_DATABASE": "postgresql://u@127.0.0.1:9/d"}
    code, said = nightpress(site_folder, gone, "service", "run")
    assert (code, "does not answer" in said) == (1, True)


def test_feedback_travels_from_form_to_mail_and_export(
    site_folder: Path, environment: dict[str, str], release: Releases
) -> None:
    with (site_folder / "pelicanconf.py").open("a") as conf:
        port = free_port()
        conf.write(f'MAIL_SERVER = "127.0.0.1:{port}"\nMAIL_SECURITY = "none"\n')
    with Service(site_folder, environment) as service:
        member = service.browse("m-1", "member", name="Łukasz Żak", email="l@example.org")
        began = time.monotonic()
        answer = member.post(PUBLICATION, {"field_title": "Better title"})
        assert answer.status_code == 303  # although no mail server answers
        assert time.monotonic() - began < 20
        assert "F-1" in member.get("/services/feedback/1").text
        with smtp_server(port=port) as postbox:
            mails = postbox.wait_for(2, seconds=60)
            assert sorted(postbox.recipients) == ["l@example.org", "office@example.org"]
            release.documents["publication:EL-2026-17"]["title"] = "Better title"
            release.publish()
            mails = postbox.wait_for(3, seconds=60)
        assert mails[2]["Subject"] == "F-1: published in build 2"
        assert "published in build 2" in member.get("/services/feedback/").text
        assert service.stop() == 0
    import sqlite3

    rows = []
    export = site_folder / "var" / "service-export.sqlite"
    for _ in range(100):
        with sqlite3.connect(export) as connection:
            rows = connection.execute("SELECT * FROM feedback").fetchall()
        connection.close()
        if rows == [("publication:EL-2026-17", "title", "published")]:
            break
        nightpress(site_folder, environment, "service", "export")
    assert rows == [("publication:EL-2026-17", "title", "published")]


@only_sqlite
def test_its_logs_and_figures_hold_no_personal_data(service: Service) -> None:
    personal = {
        "subject": "subject-4711",
        "name": "Zebulon Quagmire",
        "email": "zebulon@quagmire.example",
        "text": "My most private thoughts",
        "link": "T0ken-that-nobody-may-see",
    }
    member = service.browse(
        personal["subject"], "member", name=personal["name"], email=personal["email"]
    )
    member.post(PUBLICATION, {"text": personal["text"], "field_title": personal["text"]})
    member.get("/services/feedback/1")
    member.get(f"/services/feedback/publication/{personal['link']}?q={personal['text']}")
    member.get(f"/services/links/{personal['link']}")
    member.post(PUBLICATION, {"csrf_token": "forged", "text": personal["text"]})
    staff = service.browse("staff-4711", "staff")
    staff.post("/services/staff/feedback/1", {"state": "declined", "note": personal["text"]})
    staff.get(f"/services/staff/feedback/?q={personal['email']}")
    staff.get("/services/staff/feedback.csv")
    figures = requests.get(f"{service.url}/services/metrics", timeout=30).text
    assert "nightpress_service_requests_total" in figures
    health = requests.get(f"{service.url}/services/health", timeout=30)
    assert set(health.json()["parts"]) >= {"database", "outbox", "release"}
    assert service.stop() == 0
    log = service.log.read_text("utf-8")
    lines = [json.loads(line) for line in log.splitlines()]
    assert len([line for line in lines if line["event"] == "request"]) > 8
    for words in (*personal.values(), "4711", SECRET):
        assert words not in log
        assert words not in figures
        assert words not in health.text


@only_sqlite
def test_only_this_machine_sees_figures_and_only_staff_see_health(service: Service) -> None:
    def ask(path: str, headers: dict[str, str]) -> int:
        return requests.get(service.url + path, headers=headers, timeout=30).status_code

    proxied = signed_in("s", "staff") | {"X-Forwarded-For": "192.0.2.1"}
    assert ask("/services/metrics", proxied) == 404
    assert ask("/services/metrics", {"X-Proxy-Secret": "wrong"}) == 404
    assert ask("/services/metrics", {"X-Forwarded-For": "127.0.0.1"}) == 404
    assert ask("/services/health", proxied) == 200
    assert ask("/services/health", signed_in("m", "member")) == 403
    assert ask("/services/health", {"X-Forwarded-For": "127.0.0.1"}) == 403
    assert ask("/services/", {}) == 403


@only_sqlite
def test_bodies_have_a_limit_however_they_are_sent(service: Service) -> None:
    member = service.browse("m-1", "member")
    token = member.token(PUBLICATION)
    large = {"csrf_token": token, "text": "x" * 2_000_000}
    assert member.post(PUBLICATION, large).status_code == 413

    def pieces() -> object:
        yield f"csrf_token={token}&text=".encode()
        for _ in range(30):
            yield b"x" * 65536

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert member.post(PUBLICATION, pieces(), headers=headers).status_code == 413
    small = (p for p in (f"csrf_token={token}&".encode(), b"text=in+pieces"))
    assert member.post(PUBLICATION, small, headers=headers).status_code == 303
    many = "&".join(f"a{n}=1" for n in range(5000)) + f"&csrf_token={token}"
    assert member.post(PUBLICATION, many, headers=headers).status_code in (303, 413, 422)
    assert member.get("/services/feedback/").status_code == 200


@only_sqlite
def test_requests_are_counted_for_each_reader(service: Service) -> None:
    eager = service.browse("eager", "member")
    codes = [eager.get("/services/feedback/").status_code for _ in range(310)]
    assert codes.count(200) == 300
    assert codes[-1] == 429
    blocked = eager.get("/services/feedback/")
    assert "One moment" in blocked.text
    assert int(blocked.headers["Retry-After"]) > 0
    assert service.browse("calm", "member").get("/services/feedback/").status_code == 200


@only_sqlite
def test_headers_and_cookie_are_strict(service: Service) -> None:
    member = service.browse("m-1", "member")
    for path, code in (
        (PUBLICATION, 200),
        ("/services/nothing", 404),
        ("/services/feedback/", 200),
    ):
        answer = member.get(path)
        assert answer.status_code == code
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert not re.search(r"<script|<style| style=| on\w+=", answer.text)
    cookie = member.get(PUBLICATION).headers.get("Set-Cookie") or ""
    fresh = service.browse("m-2", "member").get(PUBLICATION).headers["Set-Cookie"]
    assert fresh.startswith("__Host-nightpress-service=")
    for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert word in fresh
    assert "Domain" not in fresh + cookie
