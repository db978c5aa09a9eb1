"""Set-up: one clear line where it cannot work, nothing to do where it has worked."""

from __future__ import annotations

import re
import shutil
import sys
from importlib.util import cache_from_source
from pathlib import Path

import pytest

from tools.environment import (
    LOCKS,
    ROOT,
    SOURCES,
    SetUpError,
    compile_sources,
    is_current,
    mark_as_made,
    newer_python,
)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    for name in ("pyproject.toml", *LOCKS.values()):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def test_environment_is_not_current_before_it_is_made(clone: Path) -> None:
    assert not is_current(clone, "runtime")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("requirements.lock", "\n", "\n# another\n"), ("pyproject.toml", "click", "clack")],
)
def test_environment_is_current_until_what_it_is_made_of_changes(
    clone: Path, name: str, old: str, new: str
) -> None:
    _pretend_made(clone)
    assert is_current(clone, "runtime")
    text = (clone / name).read_text(encoding="utf-8")
    (clone / name).write_text(text.replace(old, new, 1), encoding="utf-8")
    assert not is_current(clone, "runtime")


def test_settings_of_linters_do_not_make_it_again(clone: Path) -> None:
    _pretend_made(clone)
    with (clone / "pyproject.toml").open("a") as file:
        file.write("[tool.another]\nstrict = true\n")
    assert is_current(clone, "runtime")


def test_environment_is_made_again_in_a_folder_that_was_moved(clone: Path) -> None:
    _pretend_made(clone)
    moved = clone.rename(clone.with_name("moved"))
    assert not is_current(moved, "runtime")


def test_environment_is_made_again_when_its_python_is_gone(clone: Path) -> None:
    _pretend_made(clone)
    (clone / ".venv/bin/python").unlink()
    assert not is_current(clone, "runtime")


def test_own_sources_are_compiled_where_python_may_not_do_it(tmp_path: Path) -> None:
    source = tmp_path / SOURCES[0] / "part/of.py"
    source.parent.mkdir(parents=True)
    source.write_text("name = 1\n", encoding="utf-8")
    compile_sources(tmp_path)
    assert Path(cache_from_source(str(source))).is_file()


def test_newest_python_on_the_path_is_taken(tmp_path: Path) -> None:
    for version in ("3.9", "3.11", "3.12"):
        program = tmp_path / f"python{version}"
        program.touch()
        program.chmod(0o755)
    assert newer_python(str(tmp_path)) == str(tmp_path / "python3.12")


def test_too_old_a_python_is_told_so_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(SetUpError, match=r"3\.11 or newer") as refused:
        newer_python(str(tmp_path))
    assert "\n" not in str(refused.value)


def test_every_pinned_package_has_hashes_and_no_address() -> None:
    for lock in LOCKS.values():
        entries = re.split(r"\n(?=[a-z])", (ROOT / lock).read_text(encoding="utf-8"))[1:]
        assert len(entries) > 30
        for entry in entries:
            assert re.match(r"[a-z0-9-]+==[0-9a-z.]+", entry), entry
            assert "--hash=sha256:" in entry
            assert "://" not in entry


def test_each_lock_holds_the_smaller_one() -> None:
    runtime, development, benchmarks = (_pins(ROOT / name) for name in LOCKS.values())
    assert runtime < development < benchmarks


def test_script_for_set_up_speaks_to_an_old_python() -> None:
    """A syntax error would come before the line that names the version."""
    import ast

    ast.parse((ROOT / "tools/environment.py").read_text(encoding="utf-8"), feature_version=(3, 7))


def _pins(lock: Path) -> set[str]:
    return set(re.findall(r"^[a-z0-9-]+==\S+", lock.read_text(encoding="utf-8"), re.MULTILINE))


def _pretend_made(root: Path) -> None:
    """Leave in `root` what set-up leaves when it has ended well."""
    (root / ".venv/bin").mkdir(parents=True)
    (root / ".venv/bin/python").symlink_to(sys.executable)
    mark_as_made(root, "runtime")
