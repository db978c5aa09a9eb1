"""`nightpress serve --stack` as a person starts and ends it."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from content_sync.errors import ConfigurationError
from content_sync.operations import apache
from content_sync.operations.children import ChildDied, free_port, listens
from content_sync.operations.stack import running_stack
from content_sync.settings import read_settings
from tests.deploy.apache.conftest import Served

pytestmark = pytest.mark.needs("apache")
ROOT = Path(__file__).parents[3]


def test_the_whole_stack_runs_until_it_is_ended(built: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "content_sync.cli", "serve", "--stack"]
    process = subprocess.Popen(
        [*command, "--site", str(built), "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "NIGHTPRESS_SOURCE": ""},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    told = []
    try:
        for line in process.stderr:
            told.append(line)
            if line.startswith("Logs:"):
                break
        text = "".join(told)
        assert f"https://nightpress.localhost:{port}/" in text
        assert f"https://signin.localhost:{port}/" in text
        for group in ("student", "researcher", "member", "staff"):
            assert f"{group}@demo.example" in text
        assert listens(port)
        children = _children(process.pid)
        assert len(children) >= 3
        secrets = built / "var" / "secrets"
        assert stat.S_IMODE((secrets / "proxy-secret").stat().st_mode) == 0o600
        site_conf = (built / "var" / "apache" / "site.conf").read_text()
        assert (secrets / "proxy-secret").read_text() not in site_conf
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert not listens(port)
    assert not any(Path(f"/proc/{pid}").exists() for pid in children)


def _children(pid: int) -> list[int]:
    told = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(word) for word in told.stdout.split()]


def test_a_part_that_dies_ends_the_stack_and_is_named(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> None:
    with make_served() as served:
        child = served.stack.children.running[0]
        child.process.kill()
        with pytest.raises(ChildDied, match="Apache ended with signal SIGKILL"):
            served.stack.children.watch()
        port = served.stack.port
    for _ in range(100):  # the workers of a killed Apache end a moment later
        if not listens(port):
            break
        time.sleep(0.05)
    assert not listens(port)


def test_a_configuration_that_apache_refuses_is_told_in_its_words(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> None:
    with (
        pytest.raises(ChildDied, match=r"(?s)Apache ended with exit code.*NoSuchDirective"),
        make_served("NoSuchDirective On\n"),
    ):
        pass


def test_a_taken_port_is_told_before_anything_starts(shut: Served) -> None:
    with (
        pytest.raises(ConfigurationError, match=rf"Port {shut.stack.port} is taken.*--port"),
        running_stack(shut.settings, port=shut.stack.port, signin=False, service=False),
    ):
        pass


def test_without_apache_the_line_that_installs_it_is_told(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apache, "_PROGRAMS", ("no-such-program",))
    with (
        pytest.raises(ConfigurationError, match=r"apt-get install .*apache2 libapache2-mod-auth"),
        running_stack(read_settings(built)),
    ):
        pass


def test_a_site_without_a_release_is_told_what_to_run(tmp_path: Path, built: Path) -> None:
    settings = replace(read_settings(built), site=tmp_path)
    with pytest.raises(ConfigurationError, match="nightpress nightly"), running_stack(settings):
        pass


def test_a_folder_that_the_serving_user_cannot_enter_is_named(tmp_path: Path) -> None:
    user = apache.User("somebody", "somebody", 12345, frozenset({12345}))
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigurationError, match=r"who may not enter .*chmod o\+x"):
        apache.check_reachable(tmp_path, user)


def test_a_killed_stack_leaves_nothing_running(tmp_path: Path) -> None:
    script = (
        "import sys, time\nfrom pathlib import Path\n"
        "from content_sync.operations.children import Children\n"
        "children = Children()\n"
        f"log = Path({str(tmp_path / 'log')!r})\n"
        "child = children.start('Sleep', ['sleep', '600'], log=log)\n"
        "print(child.process.pid, flush=True)\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        child = int(parent.stdout.readline())
    comm = Path(f"/proc/{child}/comm")
    deadline = time.monotonic() + 20
    while comm.read_text() != "sleep\n" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _runs(child)
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 20
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """Whether a process runs; one that ended and waits to be asked how does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
