"""Several providers at once: what mod_auth_openidc reads of each, and the page to choose on.

Everything that differs is written into files here; `deploy/apache/providers/several.conf` names
them. Which provider speaks for which group is decided there, in Apache's own configuration.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import ssl
import tempfile
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from content_sync.errors import NightpressError

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_PAGE = Path(__file__).resolve().parents[1] / "apache" / "signin" / "choose.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One provider that people may sign in at."""

    issuer: str
    """As the provider writes it in its tokens: https://…"""
    label: str
    """What people choose it by, such as "Staff of the institute"."""
    client_id: str
    scope: str = "openid profile email"
    session_seconds: int = 28_800
    refresh_seconds: int = 300
    """How old groups from userinfo may be; 0 where they stand in the id_token."""


def providers(var: Path) -> list[Provider]:
    """Return the providers of a site, in the order in which they were added."""
    file = _list_file(var)
    if not file.is_file():
        return []
    return [Provider(**values) for values in json.loads(file.read_text("utf-8"))]


def add(var: Path, provider: Provider, secret: str, metadata: dict[str, Any]) -> None:
    """Add a provider, or replace the one with this issuer.

    `metadata` is its discovery document. Raises NightpressError where the two do not agree.
    """
    _check(provider, metadata)
    folder = _folder(var)
    stem = quote(provider.issuer.removeprefix("https://").rstrip("/"), safe="")
    _write(folder / f"{stem}.provider", json.dumps(metadata), private=True)
    client = {"client_id": provider.client_id, "client_secret": secret}
    _write(folder / f"{stem}.client", json.dumps(client), private=True)
    conf = {
        "scope": provider.scope,
        "pkce_method": "S256",
        "id_token_signed_response_alg": "RS256",
        "userinfo_refresh_interval": provider.refresh_seconds,
        "session_max_duration": provider.session_seconds,
    }
    _write(folder / f"{stem}.conf", json.dumps(conf), private=True)
    others = [one for one in providers(var) if one.issuer != provider.issuer]
    _write_list(var, [*others, provider])


def remove(var: Path, issuer: str) -> None:
    """Forget a provider. Raises NightpressError where there is none with this issuer."""
    before = providers(var)
    if issuer not in {one.issuer for one in before}:
        raise NightpressError(f"No provider has the issuer {issuer!r}.")
    stem = quote(issuer.removeprefix("https://").rstrip("/"), safe="")
    for ending in ("provider", "client", "conf"):
        (_folder(var) / f"{stem}.{ending}").unlink(missing_ok=True)
    _write_list(var, [one for one in before if one.issuer != issuer])


def discover(issuer: str) -> dict[str, Any]:
    """Return what a provider publishes of itself. Raises NightpressError if it cannot be asked."""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    bundle = os.environ.get("NIGHTPRESS_CA_BUNDLE")
    try:
        if urlsplit(address).scheme != "https":
            raise ValueError("only https will do")
        with urllib.request.urlopen(  # noqa: S310
            address, timeout=20, context=ssl.create_default_context(cafile=bundle)
        ) as answer:
            found: dict[str, Any] = json.load(answer)
    except (OSError, ValueError) as error:
        raise NightpressError(
            f"{address} cannot be read: {error}.",
            hint="Save it by other means and name the file with --metadata.",
        ) from error
    return found


def _check(provider: Provider, metadata: dict[str, Any]) -> None:
    if metadata.get("issuer") != provider.issuer:
        raise NightpressError(
            f"The provider calls itself {metadata.get('issuer')!r}, not {provider.issuer!r}.",
            hint="Write the issuer exactly as the provider does.",
        )
    wrong = [n for n in _ENDPOINTS if urlsplit(str(metadata.get(n))).scheme != "https"]
    if wrong:
        raise NightpressError(f"The provider's document has no https address for {wrong[0]}.")
    if not re.fullmatch(r"https://[^\s\"'<>\\]+", provider.issuer):
        raise NightpressError(f"{provider.issuer!r} is not an https address.")


def _write_list(var: Path, found: list[Provider]) -> None:
    """Write the list, Apache's rule for each, and the page. The list is what counts."""
    rules = ["# Written by 'nightpress signin provider': the providers that people may choose.\n"]
    links = []
    for one in found:
        name = quote(one.issuer, safe="")
        rules.append(
            f"RewriteCond %{{QUERY_STRING}} ^iss={re.escape(name)}(?:&|$)\n"
            "RewriteCond %{QUERY_STRING} !&(?:iss|disc_user)=\n"
            "RewriteRule ^/oidc/callback$ - [E=NIGHTPRESS_KNOWN:1]\n"
        )
        links.append(
            f'<li><a href="/oidc/callback?iss={name}&amp;'
            '<!--#echo encoding="entity" var="QUERY_STRING" -->">'
            f"{html.escape(one.label)}</a></li>"
        )
    page = _PAGE.read_text("utf-8").replace("<!-- providers -->", "\n".join(links))
    _write(var / "secrets" / "providers.conf", "".join(rules), private=True)
    _write(var / "signin-static" / "choose.shtml", page)
    lines = json.dumps([asdict(one) for one in found], ensure_ascii=False, indent=1)
    _write(_list_file(var), lines + "\n")


def _list_file(var: Path) -> Path:
    return var / "signin" / "providers.json"


def _folder(var: Path) -> Path:
    """Where Apache's workers read of the providers: theirs, as the folder above is."""
    folder = var / "apache" / "providers"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _give_away(folder)
    return folder


def _write(file: Path, text: str, *, private: bool = False) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    new = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
        new.chmod(0o600 if private else 0o644)
        if file.parent.name == "providers":
            _give_away(new)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _give_away(path: Path) -> None:
    """Let root give what it made to the user that Apache serves as."""
    if os.name != "nt" and os.geteuid() == 0:
        owner = path.parent.stat()
        shutil.chown(path, owner.st_uid, owner.st_gid)
