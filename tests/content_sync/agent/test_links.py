"""The report of links, as staff read it."""

from __future__ import annotations

from content_sync.agent.links import Line, read_report
from content_sync.release.crawl import Finding
from content_sync.release.verify import REPORT_FILE
from content_sync.settings import Settings
from tests.content_sync.agent.conftest import built_site, settings

__all__ = ["built_site", "settings"]


def test_findings_are_read_as_they_were_written(settings: Settings) -> None:
    assert read_report(settings).says.startswith("Release 1")
    error = Finding("/people/ada/", "/people/bob/", "it leads to nothing")
    warning = Finding("public/x.html", "", "the manifest lists it but it is missing", False)
    (settings.var / REPORT_FILE).write_text(
        f"Release 7: 1 errors, 1 warnings\n\nerror: {error}\nwarning: {warning}\n"
    )
    report = read_report(settings)
    assert report.errors == (Line("/people/ada/", "/people/bob/", "it leads to nothing"),)
    assert report.warnings == (
        Line("public/x.html", "", "the manifest lists it but it is missing"),
    )
    (settings.var / REPORT_FILE).unlink()
    assert read_report(settings).says == ""
