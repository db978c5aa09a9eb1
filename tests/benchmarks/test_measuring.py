import sys

import pytest

from benchmarks.measure import measure
from benchmarks.report import between, table
from benchmarks.visible_text import compare, words

TREE = """
import subprocess, sys
from pathlib import Path
burn = "import time; block = b'x' * 60_000_000; sum(map(abs, range(2_000_000))); time.sleep(0.5)"
children = [subprocess.Popen([sys.executable, "-c", burn]) for _ in range(2)]
for child in children:
    child.wait()
Path("new").write_text("12345")
print("done")
"""


@pytest.fixture
def measured(tmp_path):
    (tmp_path / "old").write_text("before")
    return measure("tree", [sys.executable, "-c", TREE], cwd=tmp_path, folders=[tmp_path])


def test_cost_is_that_of_the_whole_process_tree(measured):
    assert measured.exit_code == 0
    assert measured.output == "done\n"
    assert measured.cpu_s > 0.1
    assert measured.processes >= 3
    assert measured.peak_memory > 100_000_000


def test_files_are_counted_and_those_written_apart(measured):
    assert (measured.files, measured.bytes) == (2, 11)
    assert measured.files_written >= 1


def test_a_failed_command_is_told_by_its_exit_code(tmp_path):
    log = tmp_path / "log"
    cost = measure(
        "fails",
        [sys.executable, "-c", "import sys; print('why', file=sys.stderr); sys.exit(3)"],
        folders=[tmp_path / "missing"],
        log=log,
    )
    assert (cost.exit_code, cost.files) == (3, 0)
    assert log.read_text() == "why\n"


def test_tables_write_numbers_for_readers():
    assert table(["a", "b"], [[1234567, 0.25], ["x", 1234.5]]) == (
        "| a | b |\n| --- | --- |\n| 1,234,567 | 0.2 |\n| x | 1,234 |"
    )


def test_only_what_stands_between_the_markers_is_replaced():
    text = "before <!-- a -->old<!-- /a --> after"
    assert between(text, "a", "new") == "before <!-- a -->\nnew\n<!-- /a --> after"
    with pytest.raises(ValueError, match="no markers"):
        between(text, "b", "new")


def test_visible_words_leave_out_markup_scripts_and_tags_for_machines():
    html = (
        "<html><head><title>T</title><meta name=x content=y></head>"
        "<body><p>One<!-- no --> <b>two</b>, three</p><script>four()</script></body></html>"
    )
    assert words(html) == ["T", "One", "two,", "three"]


def test_pages_are_compared_word_by_word(tmp_path):
    for name, text in (("ours", "a b c d"), ("theirs", "a b x d")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "p.html").write_text(f"<body>{text}</body>")
    (found,) = compare(tmp_path / "ours", tmp_path / "theirs", ["p.html"])
    assert (found.ratio, found.ours_only, found.theirs_only) == (0.75, "c", "x")
