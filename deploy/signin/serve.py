"""The provider as a WSGI application, and Waitress to run it."""

from __future__ import annotations

import threading
from typing import Any

from content_sync.errors import ConfigurationError


def serve(port: int, host: str = "127.0.0.1") -> None:
    """Answer until the process is ended, and forget what has expired. Django must be ready.

    Only the proxy on this machine is believed about the reader's address and scheme.
    Raises ConfigurationError when the port is taken.
    """
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application
    from waitress.server import create_server

    from deploy.signin.upkeep import purge_now_and_then

    application: Any = get_wsgi_application()
    try:
        server = create_server(
            application,
            host=host,
            port=port,
            threads=8,
            ident="",
            trusted_proxy=settings.TRUSTED_PROXY,
            trusted_proxy_count=1,
            trusted_proxy_headers={"x-forwarded-for", "x-forwarded-proto"},
            clear_untrusted_proxy_headers=True,
            max_request_body_size=settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
            channel_timeout=30,
        )
    except OSError as error:
        raise ConfigurationError(
            f"The provider cannot listen at {host}:{port}: {error.strerror or error}.",
            hint="Choose another port with --port.",
        ) from error
    stop = threading.Event()
    threading.Thread(target=purge_now_and_then, args=(stop,), daemon=True).start()
    try:
        server.run()
    finally:
        stop.set()
        server.close()
