"""The documentation is held to the code: commands, options, files, functions and links exist."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from content_sync.cli import main

ROOT = Path(__file__).parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
each_page = pytest.mark.parametrize("page", PAGES, ids=IDS)

FOLDERS = "content_sync|search|theme|tools|tests|benchmarks|dynamic|deploy|docs|[.]github"
FILE = re.compile(rf"(?:{FOLDERS})/(?:[\w.-]+/)*(?:[\w.-]+\.\w+)?")
FILE_OF_THE_CODE = re.compile(r"(?:content_sync|search)/[\w/]+\.py")


@each_page
def test_commands_in_documents_exist(page: Path) -> None:
    for line in _commands(page, "nightpress"):
        words = shlex.split(line, comments=True)[1:]
        command: click.Command = main
        for word in words:
            if isinstance(command, click.Group) and not word.startswith("-"):
                assert word in command.commands, f"{line!r}: there is no command {word!r}"
                command = command.commands[word]
        assert command is not main, f"{line!r} names no command"
        known = {"--help", *(name for option in command.params for name in option.opts)}
        options = {word.partition("=")[0] for word in words if word.startswith("-")}
        assert options <= known, f"{line!r}: {command.name} has no {options - known}"


@each_page
def test_make_targets_in_documents_exist(page: Path) -> None:
    rules = re.findall(r"^([a-z ]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    targets = set(" ".join(rules).split())
    for line in _commands(page, "make"):
        words = [word for word in shlex.split(line, comments=True)[1:] if "=" not in word]
        assert set(words) <= targets, line


@each_page
def test_files_in_documents_exist(page: Path) -> None:
    for name in _names(page):
        if FILE.fullmatch(name):
            assert (ROOT / name).exists(), name


@each_page
def test_links_between_documents_resolve(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_functions_in_the_architecture_stand_in_the_files_beside_them() -> None:
    """Each `name` in a paragraph is defined in one of the files that the paragraph names."""
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    checked = 0
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        files = [ROOT / name for name in FILE_OF_THE_CODE.findall(section)]
        source = "\n".join(file.read_text("utf-8") for file in files)
        for name in re.findall(r"`(?:[A-Z]\w+\.)?([a-z_]+)`", section):
            if "_" in name or name in {"sync", "share", "adopt", "finish", "settle", "publish"}:
                assert re.search(rf"\b{name}\b", source), f"{name} in section {section[:30]!r}"
                checked += 1
    assert checked > 20


def _all_commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in sorted(group.commands.items()):
        yield f"{before}{name}", command
        if isinstance(command, click.Group):
            yield from _all_commands(command, f"{before}{name} ")


COMMANDS = dict(_all_commands(main))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_an_example(name: str) -> None:
    command = COMMANDS[name]
    assert f"nightpress {name}" in (command.help or "")
    with click.Context(command, info_name=f"nightpress {name}") as context:
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name != "as_json":
                assert parameter.help or parameter.show_default, parameter.name
        assert command.get_help(context)


def _commands(page: Path, program: str) -> Iterator[str]:
    """Yield the command lines of `program` that stand in blocks or between back-quotes."""
    text = page.read_text("utf-8")
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"^[$>] (.*)", block, re.MULTILINE):
            found = re.search(rf"(?:^|[\s/]){program}( .*)", line)
            if found and not line.startswith(("export", "py ")):
                yield program + found[1]
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`([^`\n]+)`", outside):
        if code.startswith(f"{program} ") and "…" not in code:
            yield code


def _names(page: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"`([^`\n]+)`", text)
