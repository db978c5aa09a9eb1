"""The builds for programs: Atom, a chart, CruiseControl's cctray.xml, Prometheus' figures."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

from flask import Blueprint, Response, abort, current_app

from content_sync.agent import mails, queue, tokens, told
from content_sync.plotting import load_pygal
from content_sync.settings import Settings
from content_sync.status import read_status
from dynamic.identity import without_proxy, without_sign_in

blueprint = Blueprint("feeds", __name__, url_prefix="/staff/agent")
WITHOUT_READER = {"feeds.cctray": "a token", "feeds.metrics": "loopback"}
"""Views that need no signed-in person, and what guards them instead."""
_ATOM = "http://www.w3.org/2005/Atom"
_STEPS = ("sync", "build", "index", "check", "publish", "CVs")


def _settings() -> Settings:
    return current_app.config["NIGHTPRESS"]  # type: ignore[no-any-return]


@blueprint.get("/builds.atom")
def atom() -> Any:
    settings = _settings()
    home = f"{settings.siteurl}/staff/agent/"
    feed = ET.Element("feed", xmlns=_ATOM)
    _text(feed, "title", f"{settings.sitename}: builds")
    _text(feed, "id", f"{home}builds.atom")
    ET.SubElement(feed, "link", rel="self", href=f"{home}builds.atom")
    ended = [b for b in queue.builds(settings, 50) if b.finished]
    _text(feed, "updated", str(ended[0].finished) if ended else "1970-01-01T00:00:00+00:00")
    author = ET.SubElement(feed, "author")
    _text(author, "name", settings.sitename)
    for build in ended:
        entry = ET.SubElement(feed, "entry")
        address = f"{home}builds/{build.id}/"
        _text(entry, "title", f"Build {build.id}: {told.WORDS[build.state]}")
        _text(entry, "id", address)
        ET.SubElement(entry, "link", href=address)
        _text(entry, "updated", str(build.finished))
        _text(entry, "summary", build.message or told.WORDS[build.state])
    return _xml(feed, "application/atom+xml")


@blueprint.get("/tray/<token>/cctray.xml")
@without_sign_in
def cctray(token: str) -> Any:
    settings = _settings()
    if not tokens.is_good(settings, token):
        abort(404)
    running, last = queue.running(settings), queue.last_ended(settings)
    status = {"failed": "Failure", "stopped": "Failure"}.get(last.state, "Success") if last else ""
    projects = ET.Element("Projects")
    ET.SubElement(
        projects,
        "Project",
        name=settings.sitename,
        activity="Building" if running else "Sleeping",
        lastBuildStatus=status or "Unknown",
        lastBuildLabel=str(last.id) if last else "",
        lastBuildTime=str(last.finished) if last else "1970-01-01T00:00:00+00:00",
        webUrl=f"{settings.siteurl}/staff/agent/",
    )
    return _xml(projects, "application/xml")


@blueprint.get("/durations.svg")
def durations() -> Any:
    """Draw how long the steps of the last builds took."""
    pygal = load_pygal()
    ended = [b for b in queue.builds(_settings(), 60) if b.facts.get("seconds")][:30][::-1]
    style = pygal.style.Style(
        background="transparent",
        plot_background="transparent",
        foreground="#777777",
        foreground_strong="#777777",
        foreground_subtle="#777777",
        guide_stroke_color="#999999",
        major_guide_stroke_color="#999999",
        colors=("#4f7cac", "#c0722f", "#6a994e", "#9c6ade", "#bc4749", "#808080"),
    )
    chart: Any = pygal.StackedBar(
        style=style,
        js=[],
        disable_xml_declaration=True,
        x_title="Build",
        y_title="Seconds",
        width=900,
        height=360,
        no_data_text="No build has ended yet",
    )
    chart.x_labels = [str(build.id) for build in ended]
    for step in _STEPS:
        values = [build.facts["seconds"].get(step) for build in ended]
        if any(values):
            chart.add(step, values)
    return Response(
        chart.render(),
        mimetype="image/svg+xml",
        headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
    )


@blueprint.get("/metrics")
@without_proxy
def metrics() -> Any:
    """Give Prometheus the age of the data, the last success, durations and counts."""
    from prometheus_client import CollectorRegistry, Gauge, generate_latest

    settings = _settings()
    registry = CollectorRegistry()

    def gauge(name: str, says: str, value: float | None) -> None:
        if value is not None:
            Gauge(f"nightpress_{name}", says, registry=registry).set(value)

    facts = read_status(settings)
    ended = queue.builds(settings, 200)
    good = next((b for b in ended if b.state in ("live", "unchanged")), None)
    if facts["age_hours"] is not None:
        gauge("release_age_seconds", "Age of the live release", facts["age_hours"] * 3600)
    gauge("live_release", "Number of the live release", facts["live_release"])
    gauge("publications", "Publications in the live release", facts["publications"])
    gauge("builds_broken_in_a_row", "Builds that failed", mails.broken_in_a_row(settings))
    gauge("build_running", "1 while a build runs", float(queue.running(settings) is not None))
    gauge("build_waiting", "1 while a build waits", float(queue.pending(settings) is not None))
    if good and good.finished:
        moment = datetime.fromisoformat(good.finished).timestamp()
        gauge("last_success_timestamp_seconds", "When a build last succeeded", moment)
    last = next((b for b in ended if b.facts.get("seconds")), None)
    if last:
        seconds = Gauge(
            "nightpress_step_seconds", "What steps took last", ["step"], registry=registry
        )
        for step, value in last.facts["seconds"].items():
            seconds.labels(step).set(value)
    return Response(generate_latest(registry), mimetype="text/plain")


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = text


def _xml(root: ET.Element, kind: str) -> Response:
    ET.indent(root)
    return Response(ET.tostring(root, encoding="utf-8", xml_declaration=True), mimetype=kind)
