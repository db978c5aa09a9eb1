"""Whatever is sent to the pages for CVs: an answer in words, never a defect."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamic.database import db
from dynamic.limits import limiter
from tests.dynamic.apache_says import signed_in
from tests.dynamic.cv import files
from tests.dynamic.cv.students import ENTRY

NASTY = st.one_of(
    st.text(max_size=400),
    st.sampled_from(
        [
            "\x00",
            "'; DROP TABLE cvs; --",
            "<script>alert(1)</script>",
            "{{ 7*7 }}",
            "../../../etc/passwd",
            "\u202eevil",
            "9" * 300,
            "2027-13",
            "20२७-०९",
            "javascript:alert(1)",
            "http://[::1",
            "a\r\nX-Evil: 1",
            "ẞ" * 5000,
        ]
    ),
)
FIELDS = st.dictionaries(
    st.sampled_from([*ENTRY, "chosen", "blocked", "hide", "unknown", "person"]),
    st.lists(NASTY, min_size=1, max_size=3),
    max_size=8,
)
CONTENTS = st.one_of(
    st.none(),
    st.binary(max_size=500),
    st.binary(max_size=300).map(lambda b: b"%PDF-1.7\n" + b),
    st.binary(max_size=300).map(lambda b: b"PK\x03\x04" + b),
)
GOOD = files.pdf()
INPUTS = int(os.environ.get("NIGHTPRESS_FUZZ", "40"))
"""Inputs that are tried; `make soak` sets 10,000."""
PATHS = ["", "edit", "withdraw", "renew", "file", "everything.zip", "staff/", "staff/x/person"]


@pytest.fixture
def fuzzed(app: Flask) -> Iterator[FlaskClient]:
    """The app as it is, but for the tokens of its forms and for counting."""
    app.config["WTF_CSRF_ENABLED"] = False
    limiter.enabled = False
    client = app.test_client()
    client.environ_base["wsgi.url_scheme"] = "https"
    yield client
    limiter.enabled = True
    with app.app_context():
        db.session.remove()


@settings(
    max_examples=INPUTS,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    path=st.sampled_from(PATHS),
    method=st.sampled_from(["GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS"]),
    fields=FIELDS,
    content=CONTENTS,
    name=NASTY,
    group=st.sampled_from(["student", "student", "staff", "member"]),
    query=st.dictionaries(st.sampled_from(["done", "x"]), NASTY, max_size=2),
)
def test_nothing_that_is_sent_is_a_defect(
    fuzzed: FlaskClient,
    path: str,
    method: str,
    fields: dict[str, list[str]],
    content: bytes | None,
    name: str,
    group: str,
    query: dict[str, str],
) -> None:
    data: dict[str, object] = {**ENTRY, **fields}
    if content is not None:
        data["file"] = (io.BytesIO(content), name.replace("\n", " ").replace("\r", " "))
    answer = fuzzed.open(
        f"/services/cv/{path}",
        method=method,
        data=data if method in {"POST", "PUT"} else None,
        query_string=query,
        headers=signed_in("fuzzer", group),
    )
    assert answer.status_code < 500
    assert "alert(1)</script>" not in answer.get_data(as_text=True)


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(fields=FIELDS)
def test_a_good_file_with_any_entry_is_kept_whole_or_refused(
    fuzzed: FlaskClient, fields: dict[str, list[str]]
) -> None:
    data = {**ENTRY, **fields, "file": (io.BytesIO(GOOD), "cv.pdf")}
    headers = signed_in("fuzzer", "student")
    answer = fuzzed.post("/services/cv/edit", data=data, headers=headers)
    assert answer.status_code in {303, 422}
    assert fuzzed.get("/services/cv/", headers=headers).status_code == 200
    assert fuzzed.get("/services/cv/everything.zip", headers=headers).status_code in {200, 404}
