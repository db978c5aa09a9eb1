"""A student sends a CV: over real HTTP, to the service as a process, on each database."""

from __future__ import annotations

import hashlib
import html
import io
import json
import sqlite3
import stat
import threading
import time
import zipfile
from contextlib import closing
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from tests.dynamic.cv import files
from tests.dynamic.cv.students import EDIT, ENTRY, MINE, send, student
from tests.dynamic.process import Service

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def mails(site: Path) -> list[str]:
    """Return the text of the mails that the worker has written, once there are any."""
    for _ in range(400):
        found = sorted((site / "var" / "mail").glob("*.eml"), key=lambda f: f.stat().st_mtime)
        if found:
            break
        time.sleep(0.05)
    texts = []
    for file in found:
        mail = message_from_bytes(file.read_bytes(), policy=default)
        texts.append(f"{mail['Subject']}\n{mail.get_content()}")
    return texts


def exported(site: Path) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(site / "var" / "service-export.sqlite")) as export:
        export.row_factory = sqlite3.Row
        return export.execute("SELECT * FROM cvs ORDER BY id").fetchall()


def wait_for_export(site: Path, count: int) -> list[sqlite3.Row]:
    for _ in range(600):
        if (site / "var" / "service-export.sqlite").exists() and len(exported(site)) == count:
            return exported(site)
        time.sleep(0.05)
    raise AssertionError("the export does not follow")


def kept(site: Path) -> list[Path]:
    return sorted((site / "var" / "cv-store").glob("*"))


def test_a_cv_arrives_whole_and_is_told_of(service: Service) -> None:
    mien = student(service, email="mien@luzna.example")
    content = files.pdf()
    answer = send(mien, content)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/services/cv/?done=received")
    page = mien.get(MINE).text
    digest = hashlib.sha256(content).hexdigest()
    for shown in ("Nguyễn Hạ Miên", "mien@luzna.example", digest, files.TEXT, "Acme Devices"):
        assert shown in page
    (file,) = kept(service.site)
    assert file.read_bytes() == content
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not list((service.site / "var" / "cv-spool").iterdir())
    (mail,) = mails(service.site)
    for told in ("Your CV has arrived", digest, files.TEXT, "all member companies", "/withdraw"):
        assert told in mail
    (row,) = wait_for_export(service.site, 1)
    assert json.loads(row["companies"]) == ["acme", "borealis", "cygnus"]
    assert (row["sha256"], row["email"]) == (digest, "mien@luzna.example")


def test_what_is_wrong_is_said_beside_the_field_and_the_rest_is_kept(service: Service) -> None:
    mien = student(service)
    answer = send(mien, b"not a pdf at all", graduation="next year", consent="")
    assert answer.status_code == 422
    for said in (
        "The file is neither PDF nor DOCX",
        "Write year and month as numbers",
        "Without your consent",
        "3 answers need another look",
        "Chip cooling, Reliability",
        "next year",
    ):
        assert said in answer.text
    assert kept(service.site) == []
    assert "Send your CV" in mien.get(MINE).text


@ON_SQLITE
def test_a_name_and_a_type_prove_nothing(service: Service) -> None:
    mien = student(service)
    html = b"<!doctype html><script>alert(1)</script>" * 50
    for name in ("cv.pdf", "cv.pdf\x00.html", "../../../etc/cv.pdf", "cv.pdf.exe"):
        assert send(mien, html, name=name).status_code == 422
    assert send(mien, name="cv.html", type_="text/html").status_code == 303
    (file,) = kept(service.site)
    assert file.suffix == ".pdf"
    mine = mien.get("/services/cv/file")
    assert mine.headers["Content-Type"] == "application/pdf"


@ON_SQLITE
@pytest.mark.parametrize(
    "name",
    [
        "x" * 300 + ".pdf",
        "履歴書 — Nguyễn Hạ Miên (2027).pdf",
        "../../../../etc/passwd",
        "C:\\Users\\mien\\cv.pdf",
        "سيرة ذاتية.pdf",
        'cv"; filename="evil.html',
        "cv\r\nSet-Cookie: a=b.pdf",
        "<script>alert(1)</script>.pdf",
        ".",
    ],
)
def test_a_file_is_given_back_to_be_saved_under_a_harmless_name(
    service: Service, name: str
) -> None:
    mien = student(service)
    content = files.pdf()
    assert send(mien, content, name=name).status_code == 303
    mine = mien.get("/services/cv/file")
    assert mine.content == content
    said = mine.headers["Content-Disposition"]
    assert said.startswith("attachment; filename=")
    assert "Set-Cookie" not in mine.headers
    assert not set(said.partition("filename=")[2].partition(";")[0]) & set("/\\<>\r\n")
    assert mine.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in mine.headers["Content-Security-Policy"]
    assert mine.headers["Cache-Control"] == "private, no-store"
    assert "<script>alert" not in mien.get(MINE).text


@ON_SQLITE
def test_a_body_that_is_too_large_is_refused_in_words(service: Service) -> None:
    mien = student(service)
    answer = send(mien, files.pdf(padding=10 * 1024 * 1024 + 5000, compress_streams=False))
    assert answer.status_code == 422
    assert "larger than 10 MB" in answer.text
    assert "Chip cooling" in answer.text
    token = mien.token(EDIT)
    answer = mien.post(EDIT, {"csrf_token": token}, files={"file": ("a.pdf", bytes(12_600_000))})
    assert answer.status_code == 413
    assert "larger than 10 MB" in answer.text
    assert kept(service.site) == []


def test_only_students_send_and_only_the_owner_reads(service: Service) -> None:
    mien = student(service)
    for groups in (("member",), ("researcher",), ("staff",), ("member", "researcher")):
        other = service.browse("other", *groups, company="acme")
        assert other.get(EDIT).status_code == 403
        assert other.get(MINE).status_code == 403
    assert send(mien).status_code == 303
    for other in (student(service, "s-2"), service.browse("boss", "staff")):
        assert other.get("/services/cv/file").status_code == 404
        assert other.get("/services/cv/everything.zip").status_code == 404
        assert other.post("/services/cv/renew", {"csrf_token": "x"}).status_code in {400, 404}
        assert files.TEXT not in other.get(MINE).text
    # Somebody who has left university still has the last word on their CV.
    graduate = service.browse("s-1", "researcher")
    assert graduate.get("/services/cv/file").status_code == 200
    assert graduate.get(EDIT).status_code == 200


@ON_SQLITE
def test_nothing_is_taken_from_other_sites_or_without_the_forms_token(service: Service) -> None:
    mien = student(service)
    send(mien)
    for path in (EDIT, "/services/cv/withdraw", "/services/cv/renew"):
        assert mien.post(path, {"csrf_token": "forged", **ENTRY}).status_code == 400
        token = mien.token(EDIT)
        cross = {"Sec-Fetch-Site": "cross-site"}
        assert mien.post(path, {"csrf_token": token}, headers=cross).status_code == 403
    assert student(service, "s-2").get("/services/cv/withdraw").status_code == 303
    assert len(kept(service.site)) == 1


def test_a_cv_is_replaced_and_its_entry_changed(service: Service) -> None:
    mien = student(service)
    send(mien)
    (first,) = kept(service.site)
    new = files.docx("Another text about reliability of joints and much more")
    assert send(mien, new, name="neu.docx").headers["Location"].endswith("done=replaced")
    (second,) = kept(service.site)
    assert second.suffix == ".docx"
    assert second != first
    assert second.read_bytes() == new
    answer = send(mien, b"", shown_to="chosen", chosen=["borealis"], blocked=["acme"])
    assert answer.headers["Location"].endswith("done=changed")
    assert kept(service.site) == [second]
    page = mien.get(MINE).text
    assert "Borealis GmbH" in page
    assert "Never: Acme Devices" in page
    (row,) = wait_for_export(service.site, 1)
    for _ in range(400):
        (row,) = exported(service.site)
        if json.loads(row["companies"]) == ["borealis"]:
            break
        time.sleep(0.05)
    assert json.loads(row["companies"]) == ["borealis"]


@ON_SQLITE
def test_a_student_chooses_companies_that_exist(service: Service) -> None:
    mien = student(service)
    assert "Choose at least one company" in send(mien, shown_to="chosen").text
    unknown = send(mien, shown_to="chosen", chosen=["evil/../x"])
    assert unknown.status_code == 422
    both = send(mien, shown_to="chosen", chosen=["acme"], blocked=["acme"])
    assert "stands in both lists" in both.text
    assert kept(service.site) == []


@ON_SQLITE
def test_everything_can_be_taken_along(service: Service) -> None:
    mien = student(service)
    content = files.pdf()
    send(mien, content, blocked=["cygnus"])
    answer = mien.get("/services/cv/everything.zip")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.read("my-cv.pdf") == content
        facts = json.loads(archive.read("cv.json"))
    assert facts["name"] == ENTRY["name"]
    assert facts["companies_blocked"] == ["cygnus"]
    assert facts["consent"]["version"] == "2026-11"
    assert "member companies" in facts["consent"]["text"]
    assert facts["file"]["text"].strip() == files.TEXT


def test_two_windows_at_once_leave_one_cv_and_one_file(service: Service) -> None:
    answers = []
    contents = [files.pdf(f"version {number} of my long curriculum vitae") for number in range(6)]
    browsers = [student(service) for _ in contents]
    for browser in browsers:
        browser.token(EDIT)

    def go(number: int) -> None:
        answers.append(send(browsers[number], contents[number]).status_code)

    threads = [threading.Thread(target=go, args=(number,)) for number in range(len(contents))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(answers) <= {303, 503}
    assert 303 in answers
    (file,) = kept(service.site)
    assert file.read_bytes() == student(service).get("/services/cv/file").content


@ON_SQLITE
def test_names_in_every_script_survive(service: Service) -> None:
    names = ["Łukasz Żak", "阮夏绵", "عبد الرحمن", "Ìlọ̀rí Yétúndé", "Ünal O'Brien-Şahin", "🎓 Ana"]
    for number, name in enumerate(names):
        mien = student(service, f"s-{number}")
        assert send(mien, name=f"{name}.pdf", **{"field": name}).status_code == 303
        assert name in html.unescape(mien.get(MINE).text)
    rows = wait_for_export(service.site, len(names))
    assert {row["field"] for row in rows} == set(names)


@ON_SQLITE
def test_an_account_without_an_address_is_told_so(service: Service) -> None:
    answer = student(service, email="").get(EDIT)
    assert "no confirmed address" in answer.text
    assert send(student(service, "s-9", email="not-an-address")).status_code == 422
    assert kept(service.site) == []
