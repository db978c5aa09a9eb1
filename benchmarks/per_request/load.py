"""Load on a server of this machine, and what it cost the server.

`wrk` asks as fast as answers come: requests a second at saturation, CPU time for each. At a
set rate `h2load` tells how long answers take. Both come from Debian (wrk, nghttp2-client).
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

_REQUESTS = re.compile(r"(\d+) requests in ([\d.]+)(m?s|m)")
_FAILED = re.compile(r"Non-2xx or 3xx responses: (\d+)")
_BROKEN = re.compile(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)")
_MOST = 900
"""Requests on one connection. Apache closes it after a thousand, for which h2load would wait."""
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What a server did under as many requests as it would take."""

    requests: int
    rate: float
    """Requests a second."""
    cpu_us: float
    """Microseconds of CPU of the whole server for each request, user and system."""
    failed: int
    """Answers that were not 2xx or 3xx, and connections that broke."""


def saturate(
    url: str,
    paths: Sequence[str],
    *,
    server: int,
    seconds: int = 4,
    connections: int = 32,
    headers: Mapping[str, str] | None = None,
) -> Load:
    """Ask for the paths in turn with `wrk` and return what it took of the process tree `server`."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        quoted = ", ".join(f'"{path}"' for path in paths)
        script.write(
            f"local paths = {{ {quoted} }}\nlocal i = 0\n"
            "request = function()\n  i = i % #paths + 1\n"
            "  return wrk.format('GET', paths[i])\nend\n"
        )
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", script.name]
        for name, value in (headers or {}).items():
            command += ["-H", f"{name}: {value}"]
        before = cpu_seconds(server)
        done = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
        used = cpu_seconds(server) - before
    found = _REQUESTS.search(done)
    if found is None:
        raise ValueError(f"wrk told nothing: {done}")
    requests, took = int(found[1]), float(found[2]) * _SECONDS[found[3]]
    failed = sum(int(m[1]) for m in _FAILED.finditer(done))
    failed += sum(int(n) for m in _BROKEN.finditer(done) for n in m.groups())
    return Load(
        requests=requests,
        rate=requests / took,
        cpu_us=used / max(requests, 1) * 1e6,
        failed=failed,
    )


def answer_times(
    url: str,
    paths: Sequence[str],
    *,
    rate: float,
    seconds: int = 8,
    connections: int = 32,
    headers: Mapping[str, str] | None = None,
) -> list[float]:
    """Return the milliseconds that each answer took at `rate` requests a second, sorted.

    It lasts `seconds`, or less where a connection would come to `_MOST` requests. Raises
    ValueError if an answer was not 200 or did not come.
    """
    each = max(1, min(_MOST, int(rate * seconds / connections)))
    with tempfile.TemporaryDirectory() as folder:
        log, urls = Path(folder, "log"), Path(folder, "urls")
        told = dict(headers or {})
        scheme, _, place = url.partition("://")
        # As a header it would be sent twice, which Apache refuses.
        url = f"{scheme}://{told.pop('Host', place)}"
        urls.write_text("".join(f"{url}{path}\n" for path in paths))
        command = ["h2load", "--h1", f"-c{connections}", "-t1", f"-i{urls}"]
        command += [f"-n{each * connections}", f"--connect-to={place}"]
        command += [f"--rps={rate / connections:.2f}", f"--log-file={log}"]
        for name, value in told.items():
            command += ["-H", f"{name}: {value}"]
        subprocess.run(command, capture_output=True, check=True, timeout=seconds * 5)
        rows = [line.split("\t") for line in log.read_text().splitlines()]
    bad = [row[1] for row in rows if row[1] != "200"]
    if bad or len(rows) != each * connections:
        raise ValueError(
            f"{len(bad)} of {len(rows)} answers were not 200, {each * connections} due"
        )
    return sorted(int(row[2]) / 1000 for row in rows)


def percentile(times: Sequence[float], share: float) -> float:
    """Return the time that `share` (0 to 1) of sorted times do not exceed."""
    return times[min(int(len(times) * share), len(times) - 1)]


def cpu_seconds(root: int) -> float:
    """Return user and system time of a process, its living descendants and its dead children."""
    process = psutil.Process(root)
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        try:
            times = one.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
