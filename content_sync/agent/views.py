"""What staff see and do: status, builds, the queue, withdrawals, the notice, the audit log."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    get_flashed_messages,
    redirect,
    render_template,
    request,
)
from flask_wtf.csrf import generate_csrf

from content_sync.agent import publishing_acts as acts
from content_sync.agent import queue, tokens, told
from content_sync.agent.links import read_report
from content_sync.agent.publishing import lock_publishing, publishing_lock, unlock_publishing
from content_sync.agent.runner import log_of
from content_sync.agent.store import audit_log
from content_sync.agent.where import where_is
from content_sync.errors import NightpressError
from content_sync.operations import overlay
from content_sync.release.verify import REPORT_FILE
from content_sync.settings import Settings
from dynamic.identity import reader

blueprint = Blueprint("agent", __name__, url_prefix="/staff/agent")
MOST_LINKS = 300
"""Faults of one kind that stand on the page; the file has all."""
LONGEST_LOG = 400_000
"""Bytes of the end of a log that its page shows; the file has all."""


def site_settings() -> Settings:
    return current_app.config["NIGHTPRESS"]  # type: ignore[no-any-return]


def who() -> str:
    """Return who acts, for the audit log."""
    named = reader.name or reader.email
    return f"{named} ({reader.subject})" if named else reader.subject


@blueprint.get("/")
def home() -> Any:
    return _home()


@blueprint.get("/status.json")
def status() -> Any:
    return {**told.read_facts(site_settings()), "csrf_token": generate_csrf()}


@blueprint.get("/live.js")
def script() -> Any:
    code = (Path(__file__).parent / "live.js").read_bytes()
    return Response(
        code, mimetype="text/javascript", headers={"Cache-Control": "private, no-cache"}
    )


@blueprint.get("/builds/")
def history() -> Any:
    return render_template(
        "builds.html", builds=queue.builds(site_settings(), 200), words=told.WORDS
    )


@blueprint.get("/builds/<int:number>/")
def build(number: int) -> Any:
    found = _build(number)
    text, is_cut = _end_of_log(log_of(site_settings(), number))
    return render_template(
        "build.html",
        build=found,
        words=told.WORDS,
        requests=queue.requests_of(site_settings(), number),
        log=text,
        is_cut=is_cut,
    )


@blueprint.get("/builds/<int:number>/log.txt")
def log(number: int) -> Any:
    _build(number)
    try:
        text = log_of(site_settings(), number).read_bytes()
    except FileNotFoundError:
        abort(404)
    return Response(text, mimetype="text/plain")


@blueprint.get("/difference/")
def difference() -> Any:
    """Show what the refused sync would change, as `nightpress diff` tells it."""
    settings = site_settings()
    command = [sys.executable, "-m", "content_sync.cli", "diff", "--site", str(settings.site)]
    done = subprocess.run(command, cwd=settings.site, capture_output=True, timeout=120)
    text = (done.stdout or done.stderr).decode("utf-8", "replace")
    return render_template("difference.html", text=text[:LONGEST_LOG], found=done.returncode == 0)


@blueprint.get("/links/")
def links() -> Any:
    return render_template("links.html", report=read_report(site_settings()), most=MOST_LINKS)


@blueprint.get("/links/report.txt")
def links_report() -> Any:
    try:
        text = (site_settings().var / REPORT_FILE).read_bytes()
    except FileNotFoundError:
        abort(404)
    return Response(text, mimetype="text/plain")


@blueprint.get("/where/")
def where() -> Any:
    record = request.args.get("record", "").strip()[:300]
    if not record:
        return redirect("/staff/agent/", 303)
    try:
        found = where_is(site_settings(), record)
    except NightpressError as error:
        return _home(str(error), 400)
    return render_template("where.html", where=found)


@blueprint.get("/audit/")
def audit() -> Any:
    return render_template("audit.html", lines=audit_log(site_settings(), 500))


@blueprint.post("/rebuild/")
def rebuild() -> Any:
    record = _field("record")

    def act() -> str:
        if record:
            where_is(site_settings(), record)
        found = queue.ask(
            site_settings(), who(), _field("reason"), full=_field("full") == "1", record=record
        )
        return f"Build {found.id} carries your request."

    return _act(act)


@blueprint.post("/approve/")
def approve() -> Any:
    def act() -> str:
        last = queue.last_ended(site_settings())
        if last is None or str(last.id) != _field("build") or last.state != "stopped":
            raise NightpressError("There is nothing to approve: another build has ended since.")
        found = queue.ask(site_settings(), who(), _field("reason"), accept=True)
        return f"Build {found.id} lands what build {last.id} was stopped for."

    return _act(act)


@blueprint.post("/cancel/")
def cancel() -> Any:
    return _act(
        lambda: f"Build {queue.cancel(site_settings(), who(), _field('reason')).id} is cancelled."
    )


@blueprint.post("/lock/")
def lock() -> Any:
    def act() -> str:
        lock_publishing(site_settings(), who(), _field("reason"))
        return "Publishing is locked."

    return _act(act)


@blueprint.post("/unlock/")
def unlock() -> Any:
    def act() -> str:
        was = unlock_publishing(site_settings(), who(), _field("reason"))
        return "Publishing is open." if was else "Publishing was open already."

    return _act(act)


@blueprint.post("/rollback/")
def rollback() -> Any:
    return _act(
        lambda: (
            f"Release {acts.roll_back(site_settings(), who(), _field('reason')).number}"
            " is live again."
        )
    )


@blueprint.post("/withdraw/")
def withdraw() -> Any:
    record = _field("record")

    def act() -> str:
        kind = _field("kind") or "withdrawn"
        done = acts.withdraw(site_settings(), record, kind, who(), _field("reason"))
        return f"{record} is withdrawn." if done else f"{record} was withdrawn already."

    return _act(act)


@blueprint.post("/bring-back/")
def bring_back() -> Any:
    record = _field("record")

    def act() -> str:
        was = acts.bring_back(site_settings(), record, who(), _field("reason"))
        return f"{record} is shown again." if was else f"{record} was not withdrawn."

    return _act(act)


@blueprint.post("/notice/")
def notice() -> Any:
    def act() -> str:
        acts.set_notice(site_settings(), _field("text"), who())
        return "The notice is shown." if _field("text") else "There is no notice now."

    return _act(act)


@blueprint.post("/tray/")
def tray() -> Any:
    def act() -> str:
        name = _field("name")
        if not name:
            raise NightpressError("A token needs a name.")
        if _field("revoke"):
            return f"{tokens.revoke(site_settings(), name, who())} revoked."
        token = tokens.give(site_settings(), name, who())
        return f"Shown this once: {_origin()}/staff/agent/tray/{token}/cctray.xml"

    return _act(act)


def _act(action: Any) -> Any:
    """Do what a form asked for and show the status with what came of it."""
    try:
        said = action()
    except NightpressError as error:
        if request.accept_mimetypes.best == "application/json":
            return {"error": str(error)}, 409
        return _home(str(error), 409)
    if request.accept_mimetypes.best == "application/json":
        return {"said": said, **told.read_facts(site_settings())}
    if request.endpoint == "agent.tray":
        return _home(said)  # a token is shown, and kept nowhere
    flash(said)
    return redirect("/staff/agent/", 303)


def _home(said: str = "", code: int = 200) -> Any:
    settings = site_settings()
    withdrawn = overlay.withdrawn(settings)
    page = render_template(
        "agent.html",
        said=said or " ".join(map(str, get_flashed_messages())),
        failed=code >= 400,
        facts=told.read_facts(settings),
        locked=publishing_lock(settings),
        builds=queue.builds(settings, 10),
        words=told.WORDS,
        withdrawn=sorted(withdrawn.items()),
        reasons=overlay.REASONS,
        tokens=tokens.names(settings),
    )
    return page, code


def _origin() -> str:
    return f"https://{request.headers.get('Host', '')}"


def _field(name: str) -> str:
    return " ".join(request.form.get(name, "").split())[:1000]


def _build(number: int) -> queue.Build:
    found = queue.build_of(site_settings(), number)
    if found is None:
        abort(404)
    return found


def _end_of_log(file: Path) -> tuple[str, bool]:
    try:
        with file.open("rb") as stream:
            size = file.stat().st_size
            stream.seek(max(0, size - LONGEST_LOG))
            return stream.read().decode("utf-8", "replace"), size > LONGEST_LOG
    except FileNotFoundError:
        return "", False
