"""What an ODBC connection string says, and what is added to it for a careful reader."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from importlib import util
from pathlib import Path

APPLICATION = "nightpress"

_PART = re.compile(r"\s*([^=;{}]+?)\s*=\s*(\{(?:[^}]|\}\})*\}|[^;]*)\s*(?:;|$)")
_SECRET_PARTS = frozenset({"pwd", "password", "accesstoken", "sslkey", "sslpassword"})


def parts_of(source: str) -> dict[str, str]:
    """Return the keys, lower-case, and values of an ODBC connection string."""
    parts: dict[str, str] = {}
    for key, value in _PART.findall(source):
        if value.startswith("{") and value.endswith("}"):
            value = value[1:-1].replace("}}", "}")
        parts.setdefault(key.casefold(), value)
    return parts


def secrets_of(source: str, parts: dict[str, str]) -> tuple[str, ...]:
    """Return every text that may not stand in a message, the longest first."""
    found = {source, *(value for key, value in parts.items() if key in _SECRET_PARTS)}
    found |= {value.replace("}", "}}") for value in found}
    return tuple(sorted(filter(None, found), key=len, reverse=True))


def name_of(parts: dict[str, str]) -> str:
    """Return which database is meant, without secrets."""
    shown = [
        f"{label} {parts[key]}"
        for label, keys in (
            ("driver", ("driver",)),
            ("DSN", ("dsn",)),
            ("server", ("server", "servername", "address", "addr")),
            ("port", ("port",)),
            ("database", ("database", "db")),
        )
        for key in keys
        if parts.get(key)
    ]
    return f"the ODBC source ({', '.join(shown) or 'no driver named'})"


def completed(source: str, parts: dict[str, str], drivers: Collection[str]) -> str:
    """Return the string with what a driver needs to be asked for, unless it is there.

    Drivers are kept from holding whole results in memory, a dead peer is noticed, and the
    session is known to the server by our name, as one that only reads.
    """
    driver = parts.get("driver", "").casefold()
    wanted: tuple[tuple[str, str], ...] = ()
    if "sqlite" in driver:
        # Without NoCreat a wrong path makes an empty database instead of an error.
        wanted = (("StepAPI", "1"), ("NoCreat", "1"))
    elif "postgres" in driver or "psqlodbc" in driver or "psqlodbc" in Path(driver).name:
        alive = "keepalives_idle=60 keepalives_interval=10 keepalives_count=3"
        wanted = (
            ("UseDeclareFetch", "1"),
            ("Fetch", "2000"),
            ("pqopt", f"{{{alive} application_name={APPLICATION}}}"),
        )
    elif "sql server" in driver or "freetds" in driver or "msodbcsql" in driver or "tds" in driver:
        wanted = (("APP", APPLICATION), ("ApplicationIntent", "ReadOnly"))
    source = with_driver(source, parts, drivers)
    more = "".join(f";{key}={value}" for key, value in wanted if key.casefold() not in parts)
    return source.rstrip("; ") + more


def with_driver(source: str, parts: dict[str, str], drivers: Collection[str]) -> str:
    """Return the string with the path of Microsoft's driver where only pip installed it."""
    driver = parts.get("driver", "")
    if driver in drivers or driver.casefold() != "odbc driver 18 for sql server":
        return source
    path = bundled_driver()
    if path is None:
        return source
    return re.sub(
        r"(?i)(^|;)(\s*driver\s*=\s*)(\{[^}]*\}|[^;]*)",
        lambda found: f"{found[1]}{found[2]}{{{path}}}",
        source,
        count=1,
    )


def bundled_driver() -> Path | None:
    """Return Microsoft's driver 18 inside the package `mssql-python-odbc`, if it is there."""
    spec = util.find_spec("mssql_python_odbc")
    if spec is None or spec.origin is None or sys.platform != "linux":
        return None
    libraries = Path(spec.origin).parent / "libs" / "linux"
    family = "debian_ubuntu" if Path("/etc/debian_version").exists() else "rhel"
    found = sorted((libraries / family).glob("*/lib/libmsodbcsql-18.*"))
    return found[-1] if found else None
