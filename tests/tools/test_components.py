"""What a test run does without a component: leaves out and says so, or fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.components import install_line, packages_of

pytest_plugins = ["pytester"]
CONFTEST = Path(__file__).parents[1] / "conftest.py"
UNICORN = """
from tools.components import Component
COMPONENTS["unicorn"] = Component(
    title="a unicorn", packages=("unicorn-server", "unicorn"), is_there=lambda: False
)
nothing_may_be_left_out = lambda: {must_have}
"""
TESTS = """
import pytest

@pytest.mark.needs("unicorn")
def test_riding(): pass

def test_walking(): pass
"""


def test_ordinary_user_is_told_what_was_left_out_and_how_to_get_it(
    pytester: pytest.Pytester,
) -> None:
    result = _run(pytester, TESTS, must_have=False)
    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "without a unicorn:",
            "    1 in test_ordinary_user*.py",
            "To run them too: sudo apt-get install --no-install-recommends unicorn unicorn-server",
            "*1 passed, 1 skipped*",
        ]
    )


def test_missing_component_is_a_failure_where_nothing_may_be_left_out(
    pytester: pytest.Pytester,
) -> None:
    result = _run(pytester, TESTS, must_have=True)
    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*needs a unicorn: sudo apt-get install*"])


def test_any_other_skip_is_a_failure_there_too(pytester: pytest.Pytester) -> None:
    skipping = "import pytest\ndef test_shy(): pytest.skip('not today')"
    _run(pytester, skipping, must_have=True).assert_outcomes(failed=1)


def test_unknown_component_stops_the_run(pytester: pytest.Pytester) -> None:
    typo = "import pytest\n@pytest.mark.needs('chromiun')\ndef test_reading(): pass"
    result = _run(pytester, typo, must_have=False)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*'chromiun'*does not know*"])


def test_packages_are_named_once_and_in_order() -> None:
    assert packages_of(["postgresql", "odbc"]) == [
        "libsqliteodbc",
        "odbc-postgresql",
        "postgresql",
        "unixodbc",
    ]
    assert install_line(["node"]).endswith("install --no-install-recommends nodejs")


def _run(pytester: pytest.Pytester, tests: str, *, must_have: bool) -> pytest.RunResult:
    pytester.makeconftest(
        CONFTEST.read_text(encoding="utf-8") + UNICORN.format(must_have=must_have)
    )
    pytester.makepyfile(tests)
    return pytester.runpytest_inprocess("-p", "no:cacheprovider", "-p", "no:xdist")
