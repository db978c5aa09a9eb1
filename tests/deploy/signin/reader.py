"""A reader without a screen: keeps cookies, follows links, fills forms in."""

from __future__ import annotations

import email
import email.policy
import re
import socket
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.util.connection
from requests.adapters import HTTPAdapter
from selectolax.lexbor import LexborHTMLParser

from tests.deploy.signin.stack import Stack

NAVIGATION = {"Accept": "text/html,application/xhtml+xml", "Sec-Fetch-Mode": "navigate"}
FETCH = {"Accept": "*/*", "Sec-Fetch-Mode": "cors"}

_connect = urllib3.util.connection.create_connection


def _to_loopback(address: tuple[str, int], *rest: Any, **more: Any) -> socket.socket:
    # Browsers and curl know that every *.localhost is this machine; Python asks the system.
    host, port = address
    return _connect(("127.0.0.1" if host.endswith(".localhost") else host, port), *rest, **more)


urllib3.util.connection.create_connection = _to_loopback


class _From(HTTPAdapter):
    """Connects from one of loopback's many addresses, as people have addresses of their own."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__(max_retries=0)

    def init_poolmanager(self, *rest: Any, **more: Any) -> None:
        super().init_poolmanager(*rest, **more, source_address=(self._address, 0))


_addresses = count()


class Reader(requests.Session):
    """One person's browser at one stack."""

    def __init__(self, stack: Stack) -> None:
        super().__init__()
        self.stack = stack
        self.verify = str(stack.site.parent / "ca.pem")
        self.trust_env = False  # another bundle of certificates may be named there
        self.headers["User-Agent"] = "a test"
        number = next(_addresses)
        self.mount("https://", _From(f"127.0.{1 + number // 250 % 250}.{1 + number % 250}"))

    def go(self, address: str, **more: Any) -> requests.Response:
        """Open a page as a person who follows a link does."""
        return self.get(urljoin(self.stack.url + "/", address), headers=NAVIGATION, **more)

    def fetch(self, address: str, **more: Any) -> requests.Response:
        """Ask as a script does."""
        headers = {**FETCH, **more.pop("headers", {})}
        return self.get(urljoin(self.stack.url + "/", address), headers=headers, **more)

    def fill(self, page: requests.Response, press: str = "", **values: str) -> requests.Response:
        """Send the first form of a page that has the named fields, by a button if one is named."""
        for form in LexborHTMLParser(page.text).css("form"):
            fields = {
                field.attributes["name"]: field.attributes.get("value") or ""
                for field in form.css("input[name]")
            }
            if set(values) <= set(fields):
                target = urljoin(page.url, form.attributes.get("action") or page.url)
                fields.update(values, **({press: ""} if press else {}))
                origin = "{0.scheme}://{0.netloc}".format(urlsplit(page.url))
                headers = {**NAVIGATION, "Referer": page.url, "Origin": origin}
                return self.post(target, data=fields, headers=headers)
        raise AssertionError(f"{page.url} has no form with {sorted(values)}:\n{page.text[:3000]}")

    def sign_in(self, address: str, password: str, page: str = "/signin/") -> requests.Response:
        """Sign in at the included provider; return the page that this ends at."""
        return self.fill(self.go(page), login=address, password=password)


def mails(folder: Path, to: str) -> list[email.message.EmailMessage]:
    """Return the mails to an address that lie in var/mail, oldest first."""
    found = []
    for file in sorted(folder.iterdir(), key=lambda f: f.stat().st_mtime_ns):
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        if to in str(message["To"]):
            found.append(message)
    return found  # type: ignore[return-value]


def code_in(message: Any) -> str:
    found = re.search(r"^ {4}(\S+)$", message.get_content(), re.MULTILINE)
    assert found, message.get_content()
    return found[1]
