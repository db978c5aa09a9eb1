"""Hostile requests: every URL of the service, every field of its forms, with what hurts."""

from __future__ import annotations

import random
import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import quote

from flask import Flask
from flask.testing import FlaskClient

from tests.dynamic.apache_says import SECRET, signed_in

MARK = "<xss-4711>"
"""Must never come back as markup."""

VALUES = (
    *("", " ", "\0", "a\0b", "\r\nSet-Cookie: x=1", "\r\n\r\nBcc: x@y.example", "\t\v\f\x7f"),
    *("../../etc/passwd", "..%2f..%2f", "/etc/passwd\0.pdf", "C:\\nul", "con", "file:///x"),
    *("' OR 1=1 --", '" OR ""="', "'; DROP TABLE feedback; --", "%", "_", "\\", "\\x00", "%s%n"),
    *("{{7*7}}", "${7*7}", "#{7*7}", "{% raw %}", "%(x)s", "{0.__class__}", "$(id)", "`id`"),
    *("=1+1", "@SUM(A1)", "-1", "+1", "0", "1e309", "NaN", "-0", "9" * 40, "1" * 5000, "٣", "²"),
    *("1,5", "0x10", "true", "null", "None", "[]", "{}", '{"a":1}', "<a>", MARK, f'">{MARK}'),
    *("\u202egnp.exe", "\ufeff", "\u0000\u0001", "\ud7ff", "\U0010ffff", "a\u0301" * 300, "ﷺ" * 99),
    *("😀" * 500, "𝔘𝔫𝔦", "שָׁלוֹם", "毛泽东", "ı", "ß", "İ", "\u2028\u2029", "x" * 20_000),
    *("a@b.example, c@d.example", "a@b.example\nBcc: c@d.example", "<a@b.example>", "@", "a@"),
    *("2027-13-45", "0000-00-00", "9999-99-99T99:99", "2027-01-19T09:00", "javascript:alert(1)"),
    *("http://evil.example/", "//evil.example", "data:text/html,x", "__proto__", "constructor"),
)

RAW = (
    *(b"%", b"%zz", b"%00", b"%ff%fe", b"%c0%ae%c0%ae/", b"%ed%a0%80", b"%f0%9f", b"%u0041", b"+"),
    *(b"a[]=1", b"&&&===", b"\xff\xfe", b"\xed\xa0\x80", b"a=" + b"%ff" * 400, b";", b"%0d%0aX: y"),
)
"""Pieces of bodies and paths that are no text."""

METHODS = ("GET", "POST", "POST", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
TYPES = (
    *("application/x-www-form-urlencoded",) * 6,
    *("multipart/form-data; boundary=x", "multipart/form-data", "application/json", "text/plain"),
    *("", "\x7f", "application/x-www-form-urlencoded; charset=utf-7"),
)


@dataclass(frozen=True, slots=True)
class Finding:
    """An answer that should not have been."""

    request: str
    why: str


def attack(
    app: Flask, seeds: dict[str, str], *, count: int, seed: int, codes: Counter[int] | None = None
) -> list[Finding]:
    """Send so many hostile requests to the app; return the answers that should not have been.

    `seeds` are addresses of pages with forms, whose fields are attacked, and what may stand
    in place of a rule's variables. `codes` counts the answers by status.
    """
    chance = random.Random(seed)
    client = app.test_client()
    forms = _forms(client, list(seeds))
    paths = [*_paths(app, list(seeds.values())), *seeds]
    found = []
    for number in range(count):
        method, path, body, headers = _request(chance, forms, paths, number)
        answer = client.open(
            path, method=method, data=body, headers=headers, follow_redirects=False
        )
        request = f"{method} {path[:300]!r} {headers.get('Content-Type')} {body[:600]!r}"
        if codes is not None:
            codes[answer.status_code] += 1
        if answer.status_code >= 500:
            found.append(Finding(request, f"answered {answer.status_code}"))
        location = answer.headers.get("Location", "")
        if location.startswith(("//", "http")) and "localhost" not in location:
            found.append(Finding(request, f"leads to {location[:100]}"))
        if "html" in answer.headers.get("Content-Type", "") and MARK in answer.get_data(True):
            found.append(Finding(request, "markup of a stranger came back"))
        if any("\n" in value or "\r" in value for _, value in answer.headers):
            found.append(Finding(request, "a header was broken out of"))
        answer.close()
    return found


def _forms(client: FlaskClient, pages: list[str]) -> dict[str, list[str]]:
    """Return, for each page, the names of its form's fields; cookies stay with the client."""
    forms = {}
    for page in pages:
        headers = signed_in("harvest", "member", "staff", "student", "researcher")
        text = client.get(page, headers=headers).get_data(as_text=True)
        forms[page] = sorted(set(re.findall(r' name="([^"]+)"', text)))
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', text)
        if token:
            forms.setdefault("token", [token[1]])
    return forms


def _paths(app: Flask, words: list[str]) -> list[str]:
    paths = []
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/services/"):
            for word in (*words, ""):
                paths.append(re.sub(r"<[^>]+>", lambda _, w=word: w or "{}", rule.rule))
    return paths


def _request(
    chance: random.Random, forms: dict[str, list[str]], paths: list[str], number: int
) -> tuple[str, str, bytes, dict[str, str]]:
    method = chance.choice(METHODS)
    path = chance.choice(paths)
    if to_form := chance.random() < 0.5:
        method, path = "POST", chance.choice([page for page in forms if page != "token"])
    while "{}" in path:
        path = path.replace("{}", _quoted(chance), 1)
    if chance.random() < 0.3:
        path += "?" + "&".join(
            f"{chance.choice(('page', 'state', 'type', 'q', 'sent', 'x'))}={_quoted(chance)}"
            for _ in range(chance.randrange(1, 4))
        )
    headers = _headers(chance, number, everyone=to_form)
    fields = forms.get(path.partition("?")[0]) or chance.choice(
        [names for page, names in forms.items() if page != "token"]
    )
    return method, path, _body(chance, fields, forms.get("token", [""])[0], headers), headers


def _headers(chance: random.Random, number: int, *, everyone: bool) -> dict[str, str]:
    known = ["member", "staff", "student", "researcher", "x"]
    groups = known if everyone else chance.sample(known, chance.randrange(5))
    # Many readers, so that no limit of requests hides what is to be found.
    headers = signed_in(f"hostile-{number // 20}", *groups)
    if chance.random() < 0.15:
        name = chance.choice(list(headers))
        value = chance.choice(VALUES).encode("utf-8", "replace").decode("latin-1")
        headers[name] = re.sub(r"[\r\n\0]", "?", value)[:4000]
        headers["X-Proxy-Secret"] = headers["X-Proxy-Secret"] if name == "" else SECRET
    if chance.random() < 0.05:
        headers["Cookie"] = "__Host-nightpress-service=" + chance.choice(("x", "e30.x.y", "%"))
    return headers


def _body(chance: random.Random, fields: list[str], token: str, headers: dict[str, str]) -> bytes:
    kind = chance.choice(TYPES)
    headers["Content-Type"] = kind
    if kind.startswith("multipart"):
        parts = [
            f'--x\r\nContent-Disposition: form-data; name="{name}"'
            f"{chance.choice(('', '; filename=a.pdf', '; filename=../../x', '; filename'))}"
            f"\r\n\r\n{chance.choice(VALUES)}\r\n"
            for name in ["csrf_token", *fields]
        ]
        end = chance.choice(("--x--\r\n", "", "--x"))
        return ("".join(parts) + end).encode("utf-8", "replace")
    pairs = [f"csrf_token={quote(token)}".encode()] if chance.random() < 0.85 else []
    for name in fields:
        if name != "csrf_token" and chance.random() < 0.7:
            value = chance.choice(VALUES).encode("utf-8", "surrogatepass")
            pairs.append(quote(name).encode() + b"=" + quote(value).encode())
    if chance.random() < 0.3:
        pairs.append(chance.choice(RAW))
    return b"&".join(pairs)


def _quoted(chance: random.Random) -> str:
    if chance.random() < 0.2:
        return chance.choice(RAW).decode("latin-1").replace("\n", "")
    return quote(chance.choice(VALUES)[:1500].encode("utf-8", "surrogatepass"), safe="")


def describe(found: list[Finding]) -> str:
    """Return the first findings, one a line."""
    return "\n".join(f"{one.why}: {one.request}" for one in found[:10])
