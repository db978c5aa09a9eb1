"""What is deployed elsewhere is at least well formed, and names what exists."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml
from lxml import etree

from content_sync.cli import main

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy/systemd").glob("*.service"))
EXPOSURE = 1.5
"""The highest exposure that `systemd-analyze security` may find, of 10."""
_LATER = {"agent"}  # started by its unit as soon as it exists


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_what_systemd_understands_and_shut_tight(unit: Path, tmp_path: Path) -> None:
    mine = tmp_path / unit.name.replace("@", "@x")
    text = re.sub(
        r"(?m)^(ExecStart(?:Pre)?=)/opt/nightpress/bin/nightpress\b",
        r"\1/bin/true",
        unit.read_text(),
    )
    mine.write_text(re.sub(r"(?m)^OnFailure=.*$", "", text))
    checked = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", str(mine)],
        capture_output=True,
        text=True,
    )
    assert checked.stderr.strip() == ""
    told = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", str(mine)], capture_output=True, text=True
    ).stdout
    score = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert score, told
    assert float(score[1]) <= EXPOSURE


def test_the_timer_begins_the_night() -> None:
    timer = (ROOT / "deploy/systemd/nightpress-nightly.timer").read_text()
    when = re.search(r"^OnCalendar=(.+)$", timer, re.MULTILINE)
    assert when
    if shutil.which("systemd-analyze"):
        told = subprocess.run(["systemd-analyze", "calendar", when[1]], capture_output=True)
        assert told.returncode == 0
    assert (ROOT / "deploy/systemd/nightpress-nightly.service").is_file()


def _commands() -> list[tuple[str, str]]:
    found = []
    for unit in UNITS:
        lines = re.findall(r"^ExecStart(?:Pre)?=\S+/nightpress (.+)$", unit.read_text(), re.M)
        found += [(unit.name, line) for line in lines]
    compose = yaml.safe_load((ROOT / "deploy/docker/compose.yaml").read_text())
    for name, service in compose["services"].items():
        told = str(service.get("command", ""))
        found += [(name, line) for line in re.findall(r"nightpress ([a-z][a-z0-9 -]*)", told)]
    xml = etree.parse(ROOT / "deploy/windows/nightpress-nightly.xml")
    space = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    arguments = xml.findtext("t:Actions/t:Exec/t:Arguments", namespaces=space)
    found.append(("Windows", str(arguments).replace("\\", "/")))
    return found


@pytest.mark.parametrize(("where", "line"), _commands())
def test_commands_that_are_started_exist(where: str, line: str) -> None:
    command: click.Command = main
    words = shlex.split(line)
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            if word in _LATER and word not in command.commands:
                return
            assert word in command.commands, (where, line)
            command = command.commands[word]
    options = {name for option in command.params for name in option.opts}
    assert {word for word in words if word.startswith("--")} <= options, (where, line)


def test_the_containers_keep_their_secrets_out_of_the_file() -> None:
    text = (ROOT / "deploy/docker/compose.yaml").read_text()
    compose = yaml.safe_load(text)
    given = dict(
        line.split("=", 1)
        for line in (ROOT / "deploy/docker/example.env").read_text().splitlines()
        if line and not line.startswith("#")
    )
    assert set(re.findall(r"\$\{(\w+)", text)) == set(given)
    for name in ("night", "web", "service"):
        assert compose["services"][name]["cap_drop"] == ["ALL"]
        assert compose["services"][name]["read_only"] is True
    assert compose["services"]["service"]["network_mode"] == "service:web"
    for volume in re.findall(r"- (\w+):/", text):
        assert volume in compose["volumes"]


@pytest.mark.parametrize(
    "name",
    [
        "systemd/nightpress-nightly.service",
        "docker/Dockerfile",
        "docker/compose.yaml",
        "windows/install.ps1",
        "windows/nightpress-nightly.xml",
        "windows/site.conf",
    ],
)
def test_what_was_not_run_says_so(name: str) -> None:
    head = (ROOT / "deploy" / name).read_text()[:700]
    assert re.search(r"\bnot\s+(?:be\s+)?(?:run|built|tried)\b", head)
