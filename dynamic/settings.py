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
from email.utils import parseaddr
from pathlib import Path
from typing import Any

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

    @property
    def var(self) -> Path:
        return self.site / "var"

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{(self.var / 'service.sqlite').as_posix()}"

    @property
    def cv_books(self) -> tuple[Path, ...]:
        """The CV book's folder on every node."""
        return tuple(self.site / folder for folder in self.cv_book_folders or ("var/cvbook",))

    @property
    def release(self) -> Path:
        """The live release's folder; it may be missing before the first night."""
        return self.site / "output" / "current"

    @property
    def sender(self) -> str:
        host = self.siteurl.partition("://")[2].partition("/")[0].partition(":")[0]
        return self.mail_from or f"noreply@{host or 'localhost'}"


_FROM_FILE = tuple(
    f.name for f in fields(ServiceSettings) if f.name not in {"site", *FROM_ENVIRONMENT}
)


def read_service_settings(
    site: Path, environment: Mapping[str, str] = os.environ
) -> ServiceSettings:
    """Return the settings of the service of the site in folder `site`.

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
    values["secret_key"] = values["secret_key"] or _kept_secret(site / "var" / "secrets")
    for name in ("cv_book_folders", "cv_access_logs"):
        if isinstance(values.get(name), list):
            values[name] = tuple(values[name])
    settings = ServiceSettings(site=site.resolve(), **values)
    problems = list(_check(settings))
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


def _check(settings: ServiceSettings) -> Iterator[str]:
    if len(settings.proxy_secret) < SHORTEST_SECRET:
        yield (
            "NIGHTPRESS_PROXY_SECRET must hold the secret that Apache sends,"
            f" {SHORTEST_SECRET} characters or more"
        )
    if len(settings.secret_key) < SHORTEST_SECRET:
        yield f"NIGHTPRESS_SECRET_KEY must have {SHORTEST_SECRET} characters or more"
    if settings.mail_security not in {"starttls", "tls", "none"}:
        yield "MAIL_SECURITY must be 'starttls', 'tls' or 'none'"
    if "@" not in parseaddr(settings.sender)[1]:
        yield "MAIL_FROM must be an address"
    for kind, address in settings.staff_mailboxes.items():
        if "@" not in parseaddr(address)[1]:
            yield f"STAFF_MAILBOXES[{kind!r}] must be an address"
    if settings.cv_store_encryption not in {"", "AES256", "aws:kms"}:
        yield "CV_STORE_ENCRYPTION must be 'AES256', 'aws:kms' or empty"
    for name in ("cv_book_folders", "cv_access_logs"):
        if not isinstance(getattr(settings, name), tuple):
            yield f"{name.upper()} must be a list"
    for slug in settings.cv_companies:
        if not COMPANY.fullmatch(slug):
            yield f"CV_COMPANIES: {slug!r} cannot be the name of a folder"
