"""What a command costs: CPU seconds, wall time, memory and files of its whole process tree.

    python -m benchmarks.measure NAME --folder output -- nightpress nightly --site .

CPU seconds are user and system time of the command and of every descendant: what `wait4`
reports for those that were waited for, or what the samples saw if that is more. Memory is
sampled every 0.2 s over the tree: PSS (pages shared by n processes count as one n-th for
each, so forked workers are not counted twice) where the system tells it, else RSS. A peak
shorter than the interval can be missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).resolve().parent / "results"
INTERVAL = 0.2
_VERSIONS = ("pelican", "Jinja2", "whoosh-reloaded", "orjson", "hugo", "pagefind_bin_extended")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one run of a command cost. Seconds and bytes; memory is the sum over the tree."""

    label: str
    exit_code: int
    wall_s: float
    user_s: float
    system_s: float
    peak_memory: int
    memory_kind: str
    """`PSS` or `RSS`."""
    processes: int
    """The most at one time."""
    files: int
    """Files in the watched folders after the run."""
    bytes: int
    files_written: int
    """Those of them whose content was written in this run (not linked, not left alone)."""
    bytes_written: int
    load: float
    """Load of the machine at the end, the run's own share included."""
    output: str
    """Standard output of the command."""

    @property
    def cpu_s(self) -> float:
        return self.user_s + self.system_s


def measure(
    label: str,
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    folders: Iterable[Path] = (),
    log: Path | None = None,
) -> Cost:
    """Run `command` to its end and return what it cost.

    `env` is added to the environment; standard error goes to the file `log`. The folders
    are counted after the run.
    """
    with (log or Path(os.devnull)).open("wb") as errors:
        started, stamp = time.perf_counter(), time.time()
        process = subprocess.Popen(
            list(command),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            encoding="utf-8",
        )
        watch = _Watch(process.pid)
        output = watch.until_the_end(process)
        wall = time.perf_counter() - started
    files, size, files_written, bytes_written = _count(folders, stamp)
    return Cost(
        label=label,
        exit_code=process.returncode,
        wall_s=wall,
        user_s=watch.user_s,
        system_s=watch.system_s,
        peak_memory=watch.peak_memory,
        memory_kind=watch.memory_kind,
        processes=watch.most_processes,
        files=files,
        bytes=size,
        files_written=files_written,
        bytes_written=bytes_written,
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
        output=output,
    )


class _Watch:
    """Samples a process and its descendants until it ends."""

    def __init__(self, pid: int) -> None:
        self.root = psutil.Process(pid)
        self.known: dict[int, psutil.Process] = {pid: self.root}
        self.times: dict[tuple[int, float], tuple[float, float]] = {}
        self.peak_memory = 0
        self.most_processes = 0
        self.memory_kind = "PSS" if Path("/proc/self/smaps_rollup").exists() else "RSS"
        self.user_s = self.system_s = 0.0

    def until_the_end(self, process: subprocess.Popen[str]) -> str:
        before = _children_times()
        while True:
            self._sample()
            try:
                output, _ = process.communicate(timeout=INTERVAL)
                break
            except subprocess.TimeoutExpired:
                continue
        after = _children_times()
        waited = (after[0] - before[0], after[1] - before[1])
        seen = (
            sum(user for user, _ in self.times.values()),
            sum(system for _, system in self.times.values()),
        )
        self.user_s, self.system_s = max(waited, seen, key=sum)
        return output or ""

    def _sample(self) -> None:
        try:
            tree = [self.root, *self.root.children(recursive=True)]
        except psutil.NoSuchProcess:
            return
        # Descendants whose parent has ended hang elsewhere in the tree of processes.
        self.known.update((p.pid, p) for p in tree)
        memory = alive = 0
        for pid, process in list(self.known.items()):
            try:
                times = process.cpu_times()
                self.times[pid, process.create_time()] = (times.user, times.system)
                memory += self._memory_of(process)
                alive += 1
            except (psutil.Error, OSError):
                del self.known[pid]
        self.peak_memory = max(self.peak_memory, memory)
        self.most_processes = max(self.most_processes, alive)

    def _memory_of(self, process: psutil.Process) -> int:
        if self.memory_kind == "RSS":
            return int(process.memory_info().rss)
        with Path(f"/proc/{process.pid}/smaps_rollup").open("rb") as lines:
            for line in lines:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) * 1024
        return 0


def _children_times() -> tuple[float, float]:
    """Return user and system seconds of this process's children that were waited for."""
    times = os.times()
    return times.children_user, times.children_system


def _count(folders: Iterable[Path], since: float) -> tuple[int, int, int, int]:
    files = size = files_written = bytes_written = 0
    for folder in filter(Path.is_dir, folders):
        for entry in _walk(folder):
            stat = entry.stat(follow_symlinks=False)
            files += 1
            size += stat.st_size
            if stat.st_mtime >= since - 0.01:  # clocks of files tick coarsely
                files_written += 1
                bytes_written += stat.st_size
    return files, size, files_written, bytes_written


def _walk(folder: Path | str) -> Iterable[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path)
            elif not entry.is_symlink():
                yield entry


def machine() -> dict[str, Any]:
    """Return what this machine is, with the CPU seconds of a fixed piece of work on it."""
    return {
        "cpu": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
        "anchor_cpu_s": round(_anchor(), 3),
        "versions": {name: version for name in _VERSIONS if (version := _version(name))},
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _anchor() -> float:
    """Return CPU seconds of a fixed loop: two results compare if theirs are alike."""
    started = time.process_time()
    words = [f"word{i % 997}" for i in range(400_000)]
    counts: dict[str, int] = {}
    for word in words:
        counts[word] = counts.get(word, 0) + 1
    "".join(f"<li>{word}</li>" for word in words).split("</li>")
    return time.process_time() - started


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def write_result(
    name: str, runs: Iterable[Cost | Mapping[str, Any]], **facts: Any
) -> dict[str, Any]:
    """Write `results/<name>.json` with the runs, further facts and the machine; return it."""
    result = {
        "question": name,
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        **facts,
        "runs": [_plain(run) for run in runs],
    }
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps(result, indent=1, ensure_ascii=False) + "\n"
    (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
    return result


def _plain(run: Cost | Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(run, Cost):
        return dict(run)
    plain: dict[str, Any] = {
        key: round(value, 2) if isinstance(value, float) else value
        for key, value in asdict(run).items()
        if key != "output"
    }
    plain["cpu_s"] = round(run.cpu_s, 2)
    return plain


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.measure",
        description=__doc__,
        formatter_class=argparse.RawTextHelpFormatter,
    )
    parser.add_argument("label")
    parser.add_argument("--folder", type=Path, action="append", default=[])
    parser.add_argument("--log", type=Path, help="file for the command's standard error")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    cost = measure(given.label, given.command, folders=given.folder, log=given.log)
    print(json.dumps(_plain(cost), indent=1))
    sys.exit(cost.exit_code)


if __name__ == "__main__":
    main()
