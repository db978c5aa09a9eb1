"""The parts of the system that tests need and pip cannot bring.

`make test` installs the missing ones as root or where CI=true; otherwise the tests that
need them are left out, and the run ends with the line that installs them.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import util
from pathlib import Path

LISTS = Path("/var/lib/apt/lists")
NODE = Path(__file__).resolve().parents[1] / "tests" / "node"
_NPM = ("npm", "ci", "--prefix", "tests/node", "--ignore-scripts", "--no-audit", "--no-fund")
LISTS_KEPT = 24 * 3600
"""Seconds after which the package lists are asked for anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A program or driver: what it is, the Debian packages that hold it, how to find it."""

    title: str
    packages: tuple[str, ...]
    is_there: Callable[[], bool]
    from_npm: bool = False
    """Whether it comes with `npm ci` in `tests/node`, which pins it by digest."""


def missing(names: Iterable[str]) -> list[str]:
    """Return those of the named components that this machine lacks, in the given order."""
    return [name for name in names if not COMPONENTS[name].is_there()]


def packages_of(names: Iterable[str]) -> list[str]:
    """Return the packages that hold the named components, sorted."""
    return sorted({package for name in names for package in COMPONENTS[name].packages})


def install_line(names: Iterable[str]) -> str:
    """Return the one line that installs the named components."""
    names = list(names)
    lines = []
    if packages := packages_of(names):
        lines.append("sudo apt-get install --no-install-recommends " + " ".join(packages))
    if any(COMPONENTS[name].from_npm for name in names):
        lines.append(" ".join(_NPM))
    return " && ".join(lines)


def nothing_may_be_left_out() -> bool:
    """Return whether a missing component is a failure here: on Linux, as root or in CI."""
    return sys.platform == "linux" and (os.geteuid() == 0 or os.environ.get("CI") == "true")


def main() -> None:
    """Install what is missing where it must not be; exit 1 with one line if that fails."""
    wanted = missing(COMPONENTS)
    if not wanted or not nothing_may_be_left_out():
        return
    if not shutil.which("apt-get"):
        sys.exit(
            f"The tests need {_titles(wanted)}, and there is no apt-get to install them with. "
            "Install them by this system's own means and run the same command again."
        )
    print(f"Installing {_titles(wanted)} …", flush=True)
    packages = packages_of(wanted)
    if packages and (not _lists_are_fresh() or not _apt_get("install", *packages)):
        _apt_get("update")
        _apt_get("install", *packages)
    if any(COMPONENTS[name].from_npm for name in wanted) and _has_program("npm"):
        subprocess.run(_NPM, cwd=NODE.parents[1], stdin=subprocess.DEVNULL)
    if still := missing(wanted):
        sys.exit(
            f"The tests need {_titles(still)}, and it could not be installed. "
            f"Try it by hand: {install_line(still)}"
        )


def _apt_get(action: str, *packages: str) -> bool:
    command = ["apt-get", "--quiet", "--quiet", action]
    if packages:
        command += ["--yes", "--no-install-recommends", *packages]
    if os.geteuid() != 0:
        command = ["sudo", "--non-interactive", "DEBIAN_FRONTEND=noninteractive", *command]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        return subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode == 0
    except FileNotFoundError:
        return False


def _lists_are_fresh() -> bool:
    lists = list(LISTS.glob("*_Packages*"))
    return bool(lists) and time.time() - LISTS.stat().st_mtime < LISTS_KEPT


def _titles(names: Iterable[str]) -> str:
    return ", ".join(COMPONENTS[name].title for name in names)


def _has_odbc_driver(word: str) -> bool:
    try:
        import pyodbc  # fails to load without the system's unixODBC
    except ImportError:
        return False
    return any(word in driver for driver in pyodbc.drivers())


def _has_program(*names: str) -> bool:
    return any(shutil.which(name) for name in names)


def _from_npm(name: str) -> bool:
    """Tell whether a package is there in the version that `tests/node` asks for."""
    try:
        wanted = json.loads((NODE / "package.json").read_text("utf-8"))["dependencies"][name]
        found = json.loads((NODE / "node_modules" / name / "package.json").read_text("utf-8"))
    except FileNotFoundError:
        return False
    return bool(found["version"] == wanted)


def _has_postgresql() -> bool:
    servers = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    return _has_program("initdb") or any(servers)


def _has_apache() -> bool:
    return any(Path("/usr/lib/apache2/modules").glob("mod_auth_openidc.so"))


COMPONENTS = {
    "odbc": Component(
        title="SQLite's ODBC driver",
        packages=("libsqliteodbc", "unixodbc"),
        is_there=lambda: _has_odbc_driver("SQLite3"),
    ),
    "postgresql": Component(
        title="PostgreSQL with its ODBC driver",
        packages=("odbc-postgresql", "postgresql", "unixodbc"),
        is_there=lambda: _has_postgresql() and _has_odbc_driver("PostgreSQL"),
    ),
    "apache": Component(
        title="Apache with mod_auth_openidc",
        packages=("apache2", "libapache2-mod-auth-openidc"),
        is_there=_has_apache,
    ),
    "systemd-analyze": Component(
        title="systemd's own checker of units",
        packages=("systemd",),
        is_there=lambda: shutil.which("systemd-analyze") is not None,
    ),
    "msodbcsql": Component(
        title="Microsoft's ODBC driver 18",
        packages=("unixodbc",),  # the driver itself comes with the Python packages for tests
        is_there=lambda: (
            _has_odbc_driver("ODBC Driver 18")
            or (_has_odbc_driver("") and util.find_spec("mssql_python_odbc") is not None)
        ),
    ),
    "freetds": Component(
        title="FreeTDS's ODBC driver",
        packages=("tdsodbc", "unixodbc"),
        is_there=lambda: _has_odbc_driver("FreeTDS"),
    ),
    "pandoc": Component(
        title="pandoc", packages=("pandoc",), is_there=lambda: _has_program("pandoc")
    ),
    "biber": Component(title="biber", packages=("biber",), is_there=lambda: _has_program("biber")),
    "bibtool": Component(
        title="BibTool", packages=("bibtool",), is_there=lambda: _has_program("bibtool")
    ),
    "chromium": Component(
        title="Chromium",
        packages=("chromium",),
        is_there=lambda: _has_program("chromium", "chromium-browser", "google-chrome"),
    ),
    "redis": Component(
        title="Redis",
        packages=("redis-server",),
        is_there=lambda: _has_program("redis-server"),
    ),
    "haproxy": Component(
        title="HAProxy",
        packages=("haproxy",),
        is_there=lambda: _has_program("haproxy"),
    ),
    "memcached": Component(
        title="Memcached",
        packages=("memcached",),
        is_there=lambda: _has_program("memcached"),
    ),
    "node": Component(
        title="Node.js",
        packages=("nodejs",),
        is_there=lambda: _has_program("node"),
    ),
    "java": Component(
        title="Java",
        packages=("default-jre-headless",),
        is_there=lambda: _has_program("java"),
    ),
    "validators": Component(
        title="the validators from npm",
        packages=() if _has_program("npm") else ("npm",),
        is_there=lambda: all(map(_from_npm, ("vnu-jar", "axe-core", "html-metadata", "ical.js"))),
        from_npm=True,
    ),
    "clamav": Component(
        title="the virus scanner clamd",
        packages=("clamav-daemon",),
        is_there=lambda: _has_program("clamd", "/usr/sbin/clamd"),
    ),
    "ceph": Component(
        title="Ceph's S3 server",
        packages=("ceph-common", "ceph-mon", "ceph-osd", "radosgw"),
        is_there=lambda: all(map(_has_program, ("ceph-mon", "ceph-osd", "radosgw", "ceph"))),
    ),
}


if __name__ == "__main__":
    main()
