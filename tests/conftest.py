"""What all tests share: the marker `needs`, and the account of what was left out.

`@pytest.mark.needs("odbc", "chromium")` names components of `tools/components.py`. A test
whose component is missing is left out and listed at the end; as root or in CI, where
nothing may be left out, it fails, and so does a test that skips for any other reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from functools import cache

import pytest
from hypothesis import HealthCheck, settings

from tools.components import COMPONENTS, install_line, missing, nothing_may_be_left_out

# A loaded machine makes slow examples, and no fault of the code: speed is measured elsewhere.
settings.register_profile("any load", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any load")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(component, ...): what pip cannot bring")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name in _needs(item):
            if name not in COMPONENTS:
                raise pytest.UsageError(
                    f"{item.nodeid} needs {name!r}, which tools/components.py does not know."
                )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    lacking = [name for name in _needs(item) if _is_missing(name)]
    if not lacking:
        return
    item.user_properties += [("left out for", name) for name in lacking]
    reason = "needs " + ", ".join(COMPONENTS[name].title for name in lacking)
    if nothing_may_be_left_out():
        pytest.fail(f"{reason}: {install_line(lacking)}", pytrace=False)
    pytest.skip(reason)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and nothing_may_be_left_out():
        report.outcome = "failed"
        report.longrepr = f"Nothing may be left out here, and this test was: {report.longrepr}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out: dict[str, Counter[str]] = {}
    for report in terminalreporter.stats.get("skipped", []):
        for key, name in getattr(report, "user_properties", ()):
            if key == "left out for":
                left_out.setdefault(str(name), Counter())[report.nodeid.partition("::")[0]] += 1
    if not left_out:
        return
    terminalreporter.section("left out")
    for name, files in left_out.items():
        terminalreporter.line(f"without {COMPONENTS[name].title}:")
        for file, tests in sorted(files.items()):
            terminalreporter.line(f"  {tests:>3} in {file}")
    terminalreporter.line(f"To run them too: {install_line(left_out)}")


def _needs(item: pytest.Item) -> list[str]:
    return [name for marker in item.iter_markers("needs") for name in marker.args]


@cache
def _is_missing(name: str) -> bool:
    return bool(missing([name]))


@pytest.fixture(scope="session")
def ceph() -> Iterator[str]:
    """The address of an S3 server that is as strict as Amazon's, one for each process of tests."""
    from tests.ceph import radosgw

    with radosgw() as address:
        yield address
