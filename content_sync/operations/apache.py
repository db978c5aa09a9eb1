"""Apache as an ordinary process: where it is, what it is told, how it is started."""

from __future__ import annotations

import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from content_sync.errors import ConfigurationError

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "apache"
_PROGRAMS = ("apache2", "httpd")
_MODULES = ("/usr/lib/apache2/modules", "/usr/lib64/httpd/modules", "/usr/libexec/apache2")
HOW_TO_GET = "sudo apt-get install --no-install-recommends apache2 libapache2-mod-auth-openidc"


@dataclass(frozen=True, slots=True, kw_only=True)
class Apache:
    """What one instance is told: the variables of `deploy/apache/site.conf.example`."""

    origin: str
    """https://host:port, as readers write it."""
    address: str
    port: int
    site: Path
    run: Path
    log: Path
    certificate: Path
    key: Path
    service_port: int
    authority: Path | None = None
    """What signed the provider's certificate, if not everybody trusts it."""
    agent_port: int | None = None
    signin: bool = False
    provider: str = "included"
    signin_host: str = ""
    """host:port of the included provider, as readers write it."""
    signin_port: int = 0
    """The loopback port of the included provider."""

    @property
    def conf(self) -> Path:
        return self.run / "site.conf"

    def write(self) -> list[str]:
        """Write the configuration; return the command that runs it in the foreground.

        Raises ConfigurationError when Apache or a module of it is missing, or when the user it
        runs as cannot read the site.
        """
        program, modules = find_apache(signin=self.signin)
        self.run.mkdir(parents=True, exist_ok=True)
        self.log.mkdir(parents=True, exist_ok=True)
        sessions = self.run / "sessions"
        sessions.mkdir(mode=0o700, exist_ok=True)
        values = {
            "NIGHTPRESS_ORIGIN": self.origin,
            "NIGHTPRESS_ADDRESS": self.address,
            "NIGHTPRESS_PORT": self.port,
            "NIGHTPRESS_SITE": self.site,
            "NIGHTPRESS_CONF": CONFIGURATION,
            "NIGHTPRESS_RUN": self.run,
            "NIGHTPRESS_LOG": self.log,
            "NIGHTPRESS_MODULES": modules,
            "NIGHTPRESS_CERTIFICATE": self.certificate,
            "NIGHTPRESS_CERTIFICATE_KEY": self.key,
            "NIGHTPRESS_SERVICE_PORT": self.service_port,
        }
        if self.agent_port:
            values["NIGHTPRESS_AGENT_PORT"] = self.agent_port
        if self.signin:
            values["NIGHTPRESS_PROVIDER"] = self.provider
            values["NIGHTPRESS_SIGNIN_HOST"] = self.signin_host
            values["NIGHTPRESS_SIGNIN_PORT"] = self.signin_port
            if self.authority:
                values["NIGHTPRESS_SIGNIN_CA"] = self.authority
                # Apache's workers read it when they ask the provider; keys beside it are 600.
                self.authority.parent.chmod(0o711)
        user = _serving_user()
        if user:
            values["NIGHTPRESS_USER"], values["NIGHTPRESS_GROUP"] = user.name, user.group
            for folder in (self.site, CONFIGURATION):
                check_reachable(folder, user)
            for folder in (self.run, sessions):
                shutil.chown(folder, user.name, user.group)
        for value in values.values():
            _check_value(str(value))
        lines = [f'Define {name} "{value}"' for name, value in values.items()]
        lines += ["Define NIGHTPRESS_SIGNIN"] if self.signin else []
        lines.append(f'Include "{CONFIGURATION}/server.conf"')
        self.conf.write_text("\n".join(lines) + "\n", "utf-8")
        return [program, "-D", "FOREGROUND", "-f", str(self.conf)]


def find_apache(*, signin: bool) -> tuple[str, Path]:
    """Return the program and the folder of its modules.

    Raises ConfigurationError, with the line that installs what is missing.
    """
    places = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    program = next((found for p in _PROGRAMS if (found := shutil.which(p, path=places))), None)
    modules = next((Path(m) for m in _MODULES if Path(m, "mod_rewrite.so").is_file()), None)
    if program is None or modules is None:
        raise ConfigurationError(
            "Apache is not installed here.", hint=f"On Debian or Ubuntu: {HOW_TO_GET}"
        )
    if signin and not (modules / "mod_auth_openidc.so").is_file():
        raise ConfigurationError(
            "Apache's module for sign-in, mod_auth_openidc, is not installed here.",
            hint=f"On Debian or Ubuntu: {HOW_TO_GET}",
        )
    return program, modules


@dataclass(frozen=True, slots=True)
class User:
    """Whom Apache serves as."""

    name: str
    group: str
    uid: int
    gids: frozenset[int]


def _serving_user() -> User | None:
    """Who serves when we are root, which Apache must not be; None: we ourselves."""
    if os.name == "nt" or os.geteuid() != 0:
        return None
    import grp
    import pwd

    for name in ("www-data", "apache", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        group = grp.getgrgid(found.pw_gid).gr_name
        gids = frozenset(os.getgrouplist(name, found.pw_gid))
        return User(name, group, found.pw_uid, gids)
    raise ConfigurationError(
        "Apache must not serve as root, and there is no user www-data.",
        hint="Run it as an ordinary user.",
    )


def check_reachable(folder: Path, user: User) -> None:
    """Raise ConfigurationError where the serving user may not pass on the way to a folder."""
    for place in (folder, *folder.parents):
        facts = place.stat()
        bit = stat.S_IXOTH
        if facts.st_uid == user.uid:
            bit = stat.S_IXUSR
        elif facts.st_gid in user.gids:
            bit = stat.S_IXGRP
        if not facts.st_mode & bit:
            raise ConfigurationError(
                f"Started by root, Apache serves as {user.name}, who may not enter {place}.",
                hint=f"Run it as an ordinary user, put the site elsewhere, or 'chmod o+x {place}'.",
            )


def _check_value(value: str) -> None:
    if any(c in value for c in '"$\n\r\\') or not value.isprintable():
        raise ConfigurationError(
            f"Apache's configuration cannot hold {value!r}.", hint="Rename the folder."
        )
