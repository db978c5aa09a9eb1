"""The service as a process: Waitress, the worker beside it, and an end without loss."""

from __future__ import annotations

import logging
import select
import signal
import threading
from collections.abc import Callable
from typing import Any

from flask import Flask
from waitress.server import create_server

from dynamic.memory import give_back, share_one_heap
from dynamic.worker import Worker

log = logging.getLogger("nightpress.serving")

LARGEST_BODY = 13 * 1024 * 1024
"""A CV of 10 MB with its form; views set lower limits of their own."""
MOST_CONNECTIONS = 400
"""Each may need a second file for what it sends; a process may have 1,024 open."""
STOP_SECONDS = 20


def serve(app: Flask, *, port: int | None = None, with_worker: bool = True) -> None:
    """Answer requests until the process is asked to stop; what is under way is finished."""
    share_one_heap()
    give_back()
    settings = app.config["SETTINGS"]
    port = port or settings.service_port
    server = create_server(
        app,
        host=settings.service_host,
        port=port,
        threads=settings.service_threads,
        ident=None,
        max_request_body_size=LARGEST_BODY,
        # Bodies go to the disk from here on: twenty CVs at once must not stay in memory.
        inbuf_overflow=65536,
        max_request_header_size=65536,
        # Slow senders: a connection that says nothing for so long is closed. Many of them at
        # once keep nobody else out, since a connection costs little until it was read.
        channel_timeout=60,
        connection_limit=MOST_CONNECTIONS,
        asyncore_use_poll=hasattr(select, "poll"),
        # Nothing but the loopback address reaches us, and what Apache says counts only with
        # the secret; the headers stay, because they tell what came through a proxy.
        clear_untrusted_proxy_headers=False,
    )
    work = Worker(app) if with_worker else None
    if work:
        work.start()
    thread = threading.Thread(target=server.run, name="server", daemon=True)
    thread.start()
    log.info("serving", extra={"facts": {"host": settings.service_host, "port": port}})

    def stop() -> None:
        # New connections are refused, requests that were read are answered.
        server.close()
        server.task_dispatcher.shutdown(cancel_pending=False, timeout=STOP_SECONDS)
        if work:
            work.stop()

    until_stopped(stop)
    log.info("stopped")


def until_stopped(stop: Callable[[], Any]) -> None:
    """Wait for SIGTERM or SIGINT (on Windows also Ctrl+Break), then call `stop`."""
    asked = threading.Event()
    for name in ("SIGTERM", "SIGINT", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda *_: asked.set())
    while not asked.wait(0.5):  # in pieces, so that signals are seen on Windows
        pass
    stop()
