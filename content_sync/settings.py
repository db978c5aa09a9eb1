"""The settings of a site: read once, from `pelicanconf.py` and the environment."""

from __future__ import annotations

import os
import re
import runpy
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from content_sync.errors import ConfigurationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One site's settings. Upper-case names in `pelicanconf.py`, lower-case here.

    The connection string of the source comes from `NIGHTPRESS_SOURCE` and is never
    printed; an empty one means the embedded demo database.
    """

    site: Path
    """The site's folder: `pelicanconf.py`, `content/`, `var/`, `output/`."""
    source: str = field(default="", repr=False)
    """`sqlite:///path` or an ODBC connection string."""
    sitename: str = "Nightpress"
    siteurl: str = ""
    """Public address without a trailing slash, such as https://publications.example."""
    timezone: str = "UTC"
    """IANA name of the site's place: its midnight is when a date has passed."""
    full_texts: str = ""
    """Where `file_path` starts: a folder, or s3://bucket/prefix."""
    full_text_types: tuple[str, ...] = (".pdf",)
    """File name endings that may be published."""
    s3_endpoint_url: str = ""
    """Address of an S3 service other than Amazon's."""
    guard_share: float = 0.05
    """A sync that loses more than this share of a view's records is refused …"""
    guard_minimum: int = 20
    """… if it also loses at least this many."""
    security_contact: str = ""
    """mailto: or https: address for reports of security faults, for security.txt."""
    releases_kept: int = 7
    """How many releases stay on disk, the live one included."""
    workers: int = 0
    """Processes for heavy steps; 0 means one for each core."""

    @property
    def var(self) -> Path:
        return self.site / "var"

    @property
    def output(self) -> Path:
        return self.site / "output"

    @property
    def snapshot(self) -> Path:
        return self.var / "snapshot.sqlite"

    @property
    def history(self) -> Path:
        return self.var / "history.sqlite"

    @property
    def demo_source(self) -> Path:
        return self.var / "demo.sqlite"

    @property
    def own_source(self) -> Path:
        """Works imported from files: read where no other source is named."""
        return self.var / "records.sqlite"

    @property
    def source_name(self) -> str:
        """The source that is read: the named one, else imported works, else the demo."""
        own = self.own_source if self.own_source.is_file() else self.demo_source
        return self.source or f"sqlite:///{own.as_posix()}"

    @property
    def pelicanconf(self) -> Path:
        return self.site / "pelicanconf.py"

    @property
    def worker_count(self) -> int:
        return self.workers or os.cpu_count() or 1


_FROM_FILE = frozenset(f.name for f in fields(Settings) if f.name not in {"site", "source"})


def read_settings(site: Path) -> Settings:
    """Return the settings of the site in folder `site`.

    Raises ConfigurationError that lists every setting that cannot be used.
    """
    conf = site / "pelicanconf.py"
    if not conf.is_file():
        raise ConfigurationError(
            f"{site} is not a site folder: it has no pelicanconf.py.",
            hint="Make one with 'nightpress init DIR', or name one with --site DIR.",
        )
    try:
        names: dict[str, Any] = runpy.run_path(str(conf))
    except Exception as error:
        raise ConfigurationError(f"{conf} cannot be read: {error!r}.") from error
    values = {name: names[name.upper()] for name in _FROM_FILE if name.upper() in names}
    problems = list(_check(values))
    if problems:
        raise ConfigurationError(f"{conf}: " + "; ".join(problems) + ".")
    if "full_text_types" in values:
        values["full_text_types"] = tuple(values["full_text_types"])
    if "siteurl" in values:
        values["siteurl"] = values["siteurl"].rstrip("/")
    return Settings(site=site.resolve(), source=os.environ.get("NIGHTPRESS_SOURCE", ""), **values)


def _check(values: dict[str, Any]) -> Iterator[str]:
    for name in ("sitename", "siteurl", "timezone", "full_texts", "s3_endpoint_url"):
        if not isinstance(values.get(name, ""), str):
            yield f"{name.upper()} must be text"
    if str(values.get("timezone", "UTC")) not in available_timezones():
        yield "TIMEZONE must be an IANA name such as Europe/Berlin"
    contact = values.get("security_contact", "")
    if not re.fullmatch(r"(?:(?:mailto:|https://)[^\s<>\"]+)?", str(contact)):
        yield "SECURITY_CONTACT must be a mailto: or https: address"
    types = values.get("full_text_types", ())
    if isinstance(types, str) or not all(
        isinstance(t, str) and t.startswith(".") and t == t.lower() for t in types
    ):
        yield "FULL_TEXT_TYPES must be a list of endings such as '.pdf'"
    share = values.get("guard_share", 0.05)
    if not isinstance(share, int | float) or not 0 <= share <= 1:
        yield "GUARD_SHARE must be a number from 0 to 1"
    for name, least in (("guard_minimum", 0), ("releases_kept", 2), ("workers", 0)):
        value = values.get(name, least)
        if not isinstance(value, int) or value < least:
            yield f"{name.upper()} must be a whole number, {least} or more"
