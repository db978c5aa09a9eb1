"""The service's settings: read once, from `pelicanconf.py` and the environment.

The service knows nothing of the nightly job but its files, so it reads the same settings
file by itself. Secrets come from the environment or from files below `var/secrets/`, never
from `pelicanconf.py`.
"""

from __future__ import annotations

import os
import re
import runpy
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from dynamic.addresses import mail_address
from dynamic.errors import ServiceConfigurationError

FROM_ENVIRONMENT = {
    "proxy_secret": "NIGHTPRESS_PROXY_SECRET",
    "secret_key": "NIGHTPRESS_SECRET_KEY",
    "database": "NIGHTPRESS_SERVICE_DATABASE",
    "smtp_password": "NIGHTPRESS_SMTP_PASSWORD",
}
SHORTEST_SECRET = 32
COMPANY = re.compile(r"[a-z0-9_][a-z0-9_.-]{0,169}")
"""What the slug of a company looks like: one plain folder name."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
GROUPS = frozenset({"student", "researcher", "member", "staff"})
"""The groups that Apache tells of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """What the service needs to know. Upper-case names in `pelicanconf.py`, lower-case here."""

    site: Path
    """The site's folder."""
    proxy_secret: str = field(default="", repr=False)
    """Known to Apache and the service only: proves that a request came through Apache."""
    secret_key: str = field(default="", repr=False)
    """Signs sessions and form tokens."""
    database: str = field(default="", repr=False)
    """SQLAlchemy URL; empty means SQLite in `var/service.sqlite`."""
    sitename: str = "Nightpress"
    siteurl: str = ""
    """Public address without a trailing slash; links in mails start with it."""
    timezone: str = "UTC"
    service_host: str = "127.0.0.1"
    service_port: int = 8711
    service_threads: int = 8
    service_limits: str = "memory://"
    """Where request counts are kept: memory, or memcached://host:port for several processes."""
    mail_from: str = ""
    """Sender of every mail; empty means noreply@ the host of SITEURL."""
    mail_server: str = ""
    """host or host:port of the SMTP server; empty means that mails are written to var/mail/."""
    mail_user: str = ""
    mail_security: str = "starttls"
    """starttls, tls or none."""
    smtp_password: str = field(default="", repr=False)
    staff_mailboxes: Mapping[str, str] = field(default_factory=dict)
    """Record type → address that its feedback goes to; the key "" stands for all others."""
    cv_store: str = ""
    """Where CVs are kept: a folder, or s3://bucket/prefix; empty means var/cv-store/."""
    cv_store_encryption: str = "AES256"
    """Encryption that S3 is asked for: AES256, aws:kms, or empty for what the bucket does."""
    s3_endpoint_url: str = ""
    """Address of an S3 service other than Amazon's."""
    clamd: str = ""
    """Virus scanner: path of clamd's socket, or host:port; empty means that nothing is scanned."""
    cv_companies: Mapping[str, str] = field(default_factory=dict)
    """Company claim → id of the institution or a name, where the records' slug is not the claim."""
    cv_book_folders: tuple[str, ...] = ()
    """CV books of all nodes, as this machine reaches them; empty means var/cvbook/ alone."""
    cv_access_logs: tuple[str, ...] = ("var/log/apache-access.log*",)
    """Patterns of the files in which Apache logs who opened a CV, rotated ones included."""
    feedback_groups: tuple[str, ...] = ("member", "staff")
    """Groups whose readers may send feedback."""
    feedback_kept_days: int = 730
    """Days after which feedback that is settled is deleted."""
    mails_kept_days: int = 30
    """Days after which mails that went out, or were given up, are deleted."""

    event_offer_hours: int = 48
    """How long a place that came free is kept for the one it was offered to."""
    event_answers_kept_days: int = 30
    """Days after an event until answers are deleted, where its record names no number."""
    event_registrations_kept_days: int = 365
    """Days after an event until registrations, names included, are deleted."""

    @property
    def var(self) -> Path:
        return self.site / "var"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{(self.var / 'service.sqlite').as_posix()}"

    @property
    def has_database(self) -> bool:
        """Whether there is a database to ask: one that is named, or the file of the default."""
        return bool(self.database) or (self.var / "service.sqlite").is_file()

    @property
    def cv_books(self) -> tuple[Path, ...]:
        """The CV book's folder on every node."""
        return tuple(self.site / folder for folder in self.cv_book_folders or ("var/cvbook",))

    @property
    def mail_folder(self) -> Path:
        """Where mails are written if no server is named."""
        return self.var / "mail"

    @property
    def export(self) -> Path:
        """What the build reads of the service."""
        return self.var / "service-export.sqlite"

    def mailbox_for(self, record_type: str) -> str:
        """Return the address that feedback on records of this type goes to, or nothing."""
        return self.staff_mailboxes.get(record_type) or self.staff_mailboxes.get("", "")

    @property
    def sender(self) -> str:
        host = self.siteurl.partition("://")[2].partition("/")[0].partition(":")[0]
        return self.mail_from or f"noreply@{host or 'localhost'}"


_FROM_FILE = tuple(
    f.name for f in fields(ServiceSettings) if f.name not in {"site", *FROM_ENVIRONMENT}
)


def read_service_settings(
    site: Path, environment: Mapping[str, str] = os.environ, *, answers: bool = True
) -> ServiceSettings:
    """Return the settings of the service of the site in folder `site`.

    `answers` says that requests are to be answered, which needs the secret that Apache knows.
    Raises ServiceConfigurationError that lists every setting that cannot be used.
    """
    conf = site / "pelicanconf.py"
    if not conf.is_file():
        raise ServiceConfigurationError(
            f"{site} is not a site folder: it has no pelicanconf.py. Name one with --site DIR."
        )
    try:
        names: dict[str, Any] = runpy.run_path(str(conf))
    except Exception as error:
        raise ServiceConfigurationError(f"{conf} cannot be read: {error!r}.") from error
    values = {name: names[name.upper()] for name in _FROM_FILE if name.upper() in names}
    for name, variable in FROM_ENVIRONMENT.items():
        values[name] = environment.get(variable, "")
    values["siteurl"] = str(environment.get("NIGHTPRESS_SITEURL") or values.get("siteurl", ""))
    values["siteurl"] = values["siteurl"].rstrip("/")
    problems = list(_check_types(values))
    if not problems:
        values["secret_key"] = values["secret_key"] or _kept_secret(site / "var" / "secrets")
        values |= {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
        settings = ServiceSettings(site=site.resolve(), **values)
        problems = list(_check(settings, answers))
    if problems:
        raise ServiceConfigurationError(f"{conf}: " + "; ".join(problems) + ".")
    return settings


def _kept_secret(folder: Path) -> str:
    """Return the key that signs sessions, made at first use and readable by its owner only."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / "service-key"
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
            new.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return file.read_text().strip()


def _check_types(values: Mapping[str, Any]) -> Iterator[str]:
    """Each value is of its field's kind, so that the other checks can rely on it."""
    for one in fields(ServiceSettings):
        if one.name not in values or one.name == "site":
            continue
        value, kind = values[one.name], str(one.type)
        name = FROM_ENVIRONMENT.get(one.name, one.name.upper())
        if kind == "str" and not isinstance(value, str):
            yield f"{name} must be text"
        elif kind == "int" and (not isinstance(value, int) or isinstance(value, bool)):
            yield f"{name} must be a whole number"
        elif kind == "bool" and not isinstance(value, bool):
            yield f"{name} must be True or False"
        elif kind.startswith("Mapping") and not (
            isinstance(value, Mapping)
            and all(isinstance(k, str) and isinstance(v, str) for k, v in value.items())
        ):
            yield f"{name} must be a dictionary of text"
        elif kind == "tuple[str, ...]" and (
            isinstance(value, str) or not all(isinstance(v, str) for v in value)
        ):
            yield f"{name} must be a list of text"


def _check(settings: ServiceSettings, answers: bool) -> Iterator[str]:
    if answers and len(settings.proxy_secret) < SHORTEST_SECRET:
        yield (
            "NIGHTPRESS_PROXY_SECRET must hold the secret that Apache sends,"
            f" {SHORTEST_SECRET} characters or more"
        )
    if not settings.proxy_secret.isascii():
        yield "NIGHTPRESS_PROXY_SECRET must be of ASCII characters"
    if len(settings.secret_key) < SHORTEST_SECRET:
        yield f"NIGHTPRESS_SECRET_KEY must have {SHORTEST_SECRET} characters or more"
    if settings.service_host not in LOOPBACK:
        yield "SERVICE_HOST must be 127.0.0.1 or ::1: Apache is the only door"
    if not 1 <= settings.service_port <= 65535:
        yield "SERVICE_PORT must be a port, 1 to 65535"
    if not 1 <= settings.service_threads <= 64:
        yield "SERVICE_THREADS must be 1 to 64"
    if settings.service_limits.partition("://")[0] not in {"memory", "memcached"}:
        yield "SERVICE_LIMITS must be memory:// or memcached://host:port"
    if settings.timezone not in available_timezones():
        yield "TIMEZONE must be an IANA name such as Europe/Berlin"
    yield from _check_mail(settings)
    unknown = set(settings.feedback_groups) - GROUPS
    if unknown or not settings.feedback_groups:
        yield f"FEEDBACK_GROUPS must name some of {', '.join(sorted(GROUPS))}"
    for name in ("feedback_kept_days", "mails_kept_days", "event_offer_hours"):
        if getattr(settings, name) < 1:
            yield f"{name.upper()} must be 1 or more"
    if not 0 <= settings.event_answers_kept_days <= settings.event_registrations_kept_days:
        yield (
            "EVENT_ANSWERS_KEPT_DAYS must be 0 or more and not more than"
            " EVENT_REGISTRATIONS_KEPT_DAYS"
        )


def _check_mail(settings: ServiceSettings) -> Iterator[str]:
    if settings.mail_security not in {"starttls", "tls", "none"}:
        yield "MAIL_SECURITY must be 'starttls', 'tls' or 'none'"
    _, _, port = settings.mail_server.partition(":")
    if port and not port.isdecimal():
        yield "MAIL_SERVER must be host or host:port"
    if settings.mail_user and settings.mail_security == "none":
        yield "MAIL_USER needs MAIL_SECURITY 'starttls' or 'tls': a password travels encrypted"
    if mail_address(settings.sender) is None:
        yield "MAIL_FROM must be an address"
    for kind, address in settings.staff_mailboxes.items():
        if mail_address(address) is None:
            yield f"STAFF_MAILBOXES[{kind!r}] must be an address"
    if settings.cv_store_encryption not in {"", "AES256", "aws:kms"}:
        yield "CV_STORE_ENCRYPTION must be 'AES256', 'aws:kms' or empty"
    for slug in settings.cv_companies:
        if not COMPANY.fullmatch(slug):
            yield f"CV_COMPANIES: {slug!r} cannot be the name of a folder"
