"""A session at a running stack, as a browser gets one: through the provider's form."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from content_sync.operations.stack import Stack
from content_sync.settings import Settings

COOKIE = "__Host-nightpress-session"
_HIDDEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def session_of(settings: Settings, stack: Stack, address: str) -> str:
    """Return the session cookie, `name=value`, of a demo person who signed in.

    Raises SystemExit where the members' pages stay closed to that person.
    """
    password = (settings.var / "secrets" / "demo-password").read_text().strip()
    with tempfile.TemporaryDirectory() as folder:
        jar = Path(folder, "jar")
        form, where = _open(stack, jar, f"{stack.url}/members/")
        token = _HIDDEN.search(form)
        if token is None:
            raise SystemExit(f"No sign-in form at {where}")
        fields = {"csrfmiddlewaretoken": token[1], "login": address, "password": password}
        sent = [word for name in fields for word in ("--data-urlencode", f"{name}={fields[name]}")]
        _, end = _open(stack, jar, where, "-e", where, *sent)
        if end != f"{stack.url}/members/":
            raise SystemExit(f"Signing in ended at {end}")
        rows = [line.split("\t") for line in jar.read_text().splitlines()]
    return next(f"{COOKIE}={row[6]}" for row in rows if len(row) == 7 and row[5] == COOKIE)


def _open(stack: Stack, jar: Path, address: str, *more: str) -> tuple[str, str]:
    """Return the page and the address that a request ended at; curl knows *.localhost."""
    command = ["curl", "-sSL", "--fail", "--cacert", str(stack.authority), "-b", str(jar)]
    command += ["-c", str(jar), "-H", "Accept: text/html", "-w", "\n%{url_effective}"]
    told = subprocess.run(
        [*command, *more, address], capture_output=True, text=True, check=True
    ).stdout
    page, _, end = told.rpartition("\n")
    return page, end
