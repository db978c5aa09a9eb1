"""Logs for those who run the service: one JSON object for each line, no personal data.

A request is logged by the rule that answered it and never by its path, which may hold a
token or a person's id. Of an error the log has its type and where it happened, but not its
message, which may quote what a reader sent.
"""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from flask import Flask, Response, g, request

_OURS = ("dynamic", "nightpress")


def set_up_logs(stream: TextIO | None = None) -> None:
    """Write all that this process logs to `stream`, standard error by default."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_facts_of_record],
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.stdlib.add_log_level,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.INFO)


def log_requests(app: Flask) -> None:
    """Log each request of the app: what was asked, how it ended, how long it took."""
    log = logging.getLogger("nightpress.requests")

    @app.before_request
    def _begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        seconds = time.perf_counter() - g.get("began", time.perf_counter())
        rule = request.url_rule.rule if request.url_rule else "(none)"
        app.extensions["nightpress_metrics"].request(
            request.method, request.endpoint or "(none)", response.status_code, seconds
        )
        log.info(
            "request",
            extra={
                "facts": {
                    "method": _known_method(request.method),
                    "rule": rule,
                    "status": response.status_code,
                    "ms": round(seconds * 1000, 1),
                }
            },
        )
        return response


def _known_method(method: str) -> str:
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return method if method in known else "(other)"


def _facts_of_record(
    _logger: Any, _name: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Keep what our own modules say; of other libraries only who complained, and of what type."""
    record: logging.LogRecord = event["_record"]
    event["logger"] = record.name
    event.update(getattr(record, "facts", {}))
    if record.name.partition(".")[0] not in _OURS:
        event["event"] = f"{record.name}: {record.levelname.lower()}"
    if record.exc_info and record.exc_info[0] is not None:
        kind, _, trace = record.exc_info
        event["error"] = f"{kind.__module__}.{kind.__qualname__}"
        event["where"] = [
            f"{frame.filename}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(trace)[-12:]
        ]
    event.pop("exc_info", None)
    return event
