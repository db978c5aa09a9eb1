"""Usage of records, counted from the log that Apache writes."""

from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from content_sync.cli import main
from content_sync.operations.usage import read_usage
from tests.deploy.apache.conftest import Served

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
ROBOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; PerplexityBot/1.0)",
    "curl/8.5.0",
    "-",
)


def line(
    path: str,
    *,
    who: str = "192.0.2.1",
    time: str = "2026-11-03T10:00:00+0000",
    status: int = 200,
    method: str = "GET",
    agent: str = BROWSER,
) -> str:
    return f'{who} - [{time}] "{method} {path} HTTP/2.0" {status} 5120 310 "{agent}"\n'


def test_readings_are_counted_and_robots_errors_and_double_clicks_are_not(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text(
        line("/publications/x/")
        + line("/publications/x/", time="2026-11-03T10:00:29+0000")  # a double click
        + line("/publications/x/", time="2026-11-03T10:05:00+0000", status=304)
        + line("/members/publications/x/", who="192.0.2.2")
        + line("/publications/x/x.pdf", who="192.0.2.2")
        + line("/people/ada/")
        + "".join(line("/publications/x/", agent=agent) for agent in ROBOTS)
        + line("/publications/x/", status=404)
        + line("/publications/x/", method="HEAD")
        + line("/publications/")
        + line("/assets/css/press.css")
        + '192.0.2.9 - [2026-11-03T10:00:00+0000] "GET /services/(link) HTTP/2.0" 200 1 1\n'
        + "something else\n"
    )
    found = read_usage([log])
    assert found.pages == {"/publications/x/": 3, "/people/ada/": 1}
    assert found.files == {"/publications/x/": 1}
    assert found.records == ["/publications/x/", "/people/ada/"]
    assert found.robots == len(ROBOTS)
    assert found.unread == 1


def test_a_reader_cannot_write_lines_with_the_name_of_a_browser(tmp_path: Path) -> None:
    forged = (
        '\\" 200 1 1 \\"x\\n192.0.2.1 - [2026-11-03T10:00:00+0000] \\"GET /people/eve/ HTTP/2.0'
    )
    log = tmp_path / "log"
    log.write_text(line("/people/ada/", agent=forged))
    assert list(read_usage([log]).records) == ["/people/ada/"]


def test_days_and_compressed_logs(tmp_path: Path) -> None:
    old = tmp_path / "log.1.gz"
    with gzip.open(old, "wt") as file:
        file.write(line("/people/ada/", time="2026-10-31T23:59:59+0000"))
        file.write(line("/people/ada/", time="2026-11-01T00:00:31+0000"))
    found = read_usage([old], date(2026, 11, 1), date(2026, 11, 30))
    assert found.pages == {"/people/ada/": 1}


@pytest.mark.needs("apache")
def test_what_apache_logs_is_what_the_command_reads(shut: Served) -> None:
    path = (
        "/people/"
        + sorted(f.stem for f in shut.file("public/people").glob("*.html") if f.stem != "index")[-1]
        + "/"
    )
    shut.get(path, User_Agent=f'{BROWSER} "quoted" \\')
    shut.get(path, User_Agent="curl/8.5.0")
    run = CliRunner().invoke(
        main, ["usage", "--json", "--limit", "0", "--site", str(shut.settings.site)]
    )
    assert run.exit_code == 0, run.output
    told = json.loads(run.stdout)
    assert {"url": path, "pages": 1, "files": 0} in told["records"]
    assert told["robots"] >= 1
    assert told["unread_lines"] == 0
