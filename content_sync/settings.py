"""The settings of a site: read once, from `pelicanconf.py` and the environment."""

from __future__ import annotations

import os
import re
import runpy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from content_sync.errors import ConfigurationError
from content_sync.records import VIEWS

PARTS = (
    "orders",
    "coauthors",
    "names",
    "charts",
    "lineage",
    "citations",
    "related",
    "machines",
    "compressed",
)
"""What a build can leave out, to measure what each costs: lists by title; whom people write with;
the field that finds people by name; charts; what leads from theme to project to deliverable to
work to event, with the pages of themes and programmes; references with files for other programs;
related works; feeds, calendars, sitemaps, dumps and OAI-PMH; compressed files. Pages still lead to
some of it, so such a release does not pass the check. Makers ask `Reader.makes`."""


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
    admin_email: str = ""
    """Whom harvesters may write to; without one, the address of `security_contact`."""
    security_contact: str = ""
    """mailto: or https: address for reports of security faults, for security.txt."""
    guard_changed_share: float = 0.5
    """A sync that changes more than this share (and at least that many) is refused too."""
    source_login_seconds: int = 15
    """How long a login to the source may take."""
    source_lock_seconds: int = 30
    """How long to wait for a lock that another session holds; nobody waits for ours."""
    source_query_seconds: int = 600
    """How long one statement, or one piece of its result, may take."""
    source_retries: int = 4
    """How often a lost connection or a busy server is tried again, after growing pauses."""
    source_window_rows: int = 1_000_000
    """Views with more rows than this are read by a window of rowversions, if they have them …"""
    source_full_pass_nights: int = 7
    """… and by all their keys every so many nights: the longest that a deletion can wait."""
    source_isolation: str = "snapshot"
    """'snapshot' reads in one transaction where that holds nobody up, 'read committed' never."""
    source_procedures: dict[str, Any] = field(default_factory=dict)
    """Stored procedures that stand in for views: see docs/database.md."""
    sign_in_url: str = ""
    """Where pages lead who wants to sign in: /signin/ behind Apache; empty: no such link."""
    releases_kept: int = 7
    """How many releases stay on disk, the live one included."""
    cluster: str = ""
    """Where heavy steps run instead of here: the address of a dask.distributed scheduler, such as
    tcp://10.0.0.5:8786; it comes from `NIGHTPRESS_CLUSTER`."""
    left_out: tuple[str, ...] = ()
    """Parts of the site that are not made, of `PARTS`."""
    workers: int = 0
    """Processes for heavy steps; 0 means one for each core."""

    nightly_at: str = "02:30"
    """When the agent begins the night, in the site's time zone; empty: something else does."""
    agent_port: int = 8766
    """The loopback port at which Apache finds the agent."""
    content_git: str = ""
    """A git repository (https or ssh) from which `content/` is pulled before each build."""
    live_folders: tuple[str, ...] = ()
    """Live overlays of other nodes, as this machine reaches them: each gets every change."""
    mail_again_after: int = 3
    """How many failed builds in a row until staff are told once more."""

    mirror: str = ""
    """s3://bucket/prefix to which `nightpress mirror` copies the public tree; empty: none."""
    mirror_private: str = ""
    """A private bucket for members' and staff's pages; empty: they are copied nowhere."""
    mirror_workers: int = 16
    """How many objects are sent at once."""

    cv_store: str = ""
    """Where the service keeps CVs: a folder, or s3://bucket/prefix; empty means var/cv-store/."""
    cv_companies: Mapping[str, str] = field(default_factory=dict)
    """Company claim → id of the institution or a name, where the records' slug is not the claim."""
    cv_book_folders: tuple[str, ...] = ()
    """CV books of all nodes, as this machine reaches them; empty means var/cvbook/ alone."""

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
    def demo_files(self) -> Path:
        """The full texts that come with the demo."""
        return self.var / "demo-files"

    @property
    def reads_demo(self) -> bool:
        """Whether the site has no source of its own, so that the demo stands in."""
        return not self.source and not self.own_source.is_file()

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
    def cv_books(self) -> tuple[Path, ...]:
        """The CV book's folder on every node."""
        return tuple(self.site / folder for folder in self.cv_book_folders or ("var/cvbook",))

    @property
    def worker_count(self) -> int:
        return self.workers or os.cpu_count() or 1


_FROM_FILE = frozenset(
    f.name for f in fields(Settings) if f.name not in {"site", "source", "cluster"}
)


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
    if "cv_book_folders" in values:
        values["cv_book_folders"] = tuple(values["cv_book_folders"])
    if "left_out" in values:
        values["left_out"] = tuple(values["left_out"])
    if "live_folders" in values:
        values["live_folders"] = tuple(values["live_folders"])
    if "siteurl" in values:
        values["siteurl"] = values["siteurl"].rstrip("/")
    return Settings(
        site=site.resolve(),
        source=os.environ.get("NIGHTPRESS_SOURCE", ""),
        cluster=os.environ.get("NIGHTPRESS_CLUSTER", ""),
        **values,
    )


def _check(values: dict[str, Any]) -> Iterator[str]:
    if not re.fullmatch(r"(?:[^\s@<>&]+@[^\s@<>&]+)?", str(values.get("admin_email", ""))):
        yield "ADMIN_EMAIL must be an address such as library@example.org"
    for name in ("sitename", "siteurl", "timezone", "sign_in_url", "full_texts", "s3_endpoint_url"):
        if not isinstance(values.get(name, ""), str):
            yield f"{name.upper()} must be text"
    for name in ("mirror", "mirror_private"):
        if not re.fullmatch(r"(?:s3://[^/\s]+(?:/\S*)?)?", str(values.get(name, ""))):
            yield f"{name.upper()} must be s3://bucket or s3://bucket/prefix"
    if str(values.get("timezone", "UTC")) not in available_timezones():
        yield "TIMEZONE must be an IANA name such as Europe/Berlin"
    if not re.fullmatch(r"(?:([01]\d|2[0-3]):[0-5]\d)?", str(values.get("nightly_at", ""))):
        yield "NIGHTLY_AT must be a time of day such as '02:30', or empty"
    if not re.fullmatch(r"(?:(?:https|ssh)://\S+)?", str(values.get("content_git", ""))):
        yield "CONTENT_GIT must be an https:// or ssh:// address"
    contact = values.get("security_contact", "")
    if not re.fullmatch(r"(?:(?:mailto:|https://)[^\s<>\"]+)?", str(contact)):
        yield "SECURITY_CONTACT must be a mailto: or https: address"
    types = values.get("full_text_types", ())
    if isinstance(types, str) or not all(
        isinstance(t, str) and t.startswith(".") and t == t.lower() for t in types
    ):
        yield "FULL_TEXT_TYPES must be a list of endings such as '.pdf'"
    left_out = values.get("left_out", ())
    if isinstance(left_out, str) or not set(left_out) <= set(PARTS):
        yield f"LEFT_OUT must be a list of {', '.join(map(repr, PARTS))}"
    for name in ("guard_share", "guard_changed_share"):
        share = values.get(name, 0.05)
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            yield f"{name.upper()} must be a number from 0 to 1"
    if values.get("source_isolation", "snapshot") not in ("snapshot", "read committed"):
        yield "SOURCE_ISOLATION must be 'snapshot' or 'read committed'"
    yield from _check_procedures(values.get("source_procedures", {}))
    for name, least in (
        *_LEAST_SOURCE,
        ("guard_minimum", 0),
        ("releases_kept", 2),
        ("workers", 0),
        *_LEAST_AGENT,
    ):
        value = values.get(name, least)
        if not isinstance(value, int) or value < least:
            yield f"{name.upper()} must be a whole number, {least} or more"


_LEAST_AGENT = (("agent_port", 1), ("mail_again_after", 2), ("mirror_workers", 1))
_LEAST_SOURCE = (
    ("source_login_seconds", 1),
    ("source_lock_seconds", 1),
    ("source_query_seconds", 1),
    ("source_retries", 0),
    ("source_window_rows", 1),
    ("source_full_pass_nights", 1),
)


def _check_procedures(given: Any) -> Iterator[str]:
    if not isinstance(given, dict):
        yield "SOURCE_PROCEDURES must be a dictionary of view name and procedure"
        return
    views = {view.name for view in VIEWS}
    for name, value in given.items():
        if name not in views:
            yield f"SOURCE_PROCEDURES names {name!r}, which is no view of the contract"
        calls = value if isinstance(value, dict) else {"changed": value}
        texts = [calls.get("changed"), *(text for key, text in calls.items() if key == "keys")]
        if not calls.keys() <= {"changed", "keys"} or not all(isinstance(t, str) for t in texts):
            yield f"SOURCE_PROCEDURES[{name!r}] must be a call, or 'changed' and 'keys' with a call"
        elif not all(re.fullmatch(r"\{\s*CALL\s[^{}]+\}", t.strip(), re.I) for t in texts if t):
            yield f"SOURCE_PROCEDURES[{name!r}] must read {{CALL web.name (?)}}"
