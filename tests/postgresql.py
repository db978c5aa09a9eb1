"""A PostgreSQL server of one's own: in a temporary folder, unprivileged, on a free port."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from content_sync.operations.children import free_port


@contextmanager
def postgresql_server(*, connections: int = 60) -> Iterator[str]:
    """Run a server; yield the SQLAlchemy URL of its maintenance database, for its owner."""
    folder = Path(tempfile.mkdtemp(prefix="nightpress-pg-", dir="/tmp"))
    binaries = max(Path("/usr/lib/postgresql").glob("*/bin"))
    unprivileged: list[str] = []
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)
        unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]

    def run(*command: str) -> None:
        subprocess.run([*unprivileged, *command], check=True, stdout=subprocess.DEVNULL, cwd=folder)

    port = free_port()
    data = str(folder / "data")
    run(
        *(str(binaries / "initdb"), "-D", data, "-U", "owner", "-E", "UTF8", "--no-sync"),
        *("--locale=C", "--auth=trust"),
    )
    options = f"-p {port} -k {folder} -h 127.0.0.1 -c fsync=off -c max_connections={connections}"
    pg_ctl = str(binaries / "pg_ctl")
    run(pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
    try:
        yield f"postgresql+psycopg://owner@127.0.0.1:{port}/postgres"
    finally:
        run(pg_ctl, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
