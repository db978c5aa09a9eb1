"""Figures for Prometheus, on the loopback address only."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Flask, Response, current_app
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from sqlalchemy.exc import SQLAlchemyError

from dynamic.identity import without_proxy
from dynamic.outbox import state_of_outbox

blueprint = Blueprint("metrics", __name__)

_KNOWN_METHODS = frozenset({"GET", "HEAD", "POST"})


class Metrics:
    """The figures of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "nightpress_service_requests_total",
            "Requests answered.",
            ("method", "view", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "nightpress_service_request_seconds",
            "Time to answer.",
            ("view",),
            registry=self.registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self._mails = Gauge(
            "nightpress_service_mails",
            "Mails in the outbox, by state.",
            ("state",),
            registry=self.registry,
        )
        self._oldest = Gauge(
            "nightpress_service_oldest_mail_seconds",
            "Age of the oldest mail that waits.",
            registry=self.registry,
        )

    def request(self, method: str, view: str, status: int, seconds: float) -> None:
        """Count one request."""
        method = method if method in _KNOWN_METHODS else "other"
        self._requests.labels(method, view, str(status)).inc()
        self._seconds.labels(view).observe(seconds)

    def page(self) -> bytes:
        """Return the figures as Prometheus reads them."""
        try:
            outbox = state_of_outbox()
            self._mails.labels("waiting").set(outbox.waiting)
            self._mails.labels("refused").set(outbox.refused)
            self._oldest.set(outbox.oldest_seconds)
        except SQLAlchemyError:
            self._mails.clear()  # the database does not answer: no figure rather than an old one
        return generate_latest(self.registry)


def add_metrics(app: Flask) -> None:
    """Count the app's requests and publish the figures at /services/metrics."""
    app.extensions["nightpress_metrics"] = Metrics()
    app.register_blueprint(blueprint)


@blueprint.get("/services/metrics")
@without_proxy
def metrics() -> Any:
    """Answer this machine's Prometheus."""
    page = current_app.extensions["nightpress_metrics"].page()
    return Response(page, content_type="text/plain; version=0.0.4; charset=utf-8")
