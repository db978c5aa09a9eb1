"""The agent as a process: its thread, and Waitress on loopback for its pages."""

from __future__ import annotations

import threading

from waitress.server import create_server

from content_sync.agent.agent import Agent
from content_sync.agent.app import create_agent_app
from content_sync.errors import ConfigurationError
from content_sync.settings import Settings
from dynamic.errors import ServiceConfigurationError
from dynamic.serving import until_stopped
from dynamic.settings import read_service_settings


def serve(settings: Settings, *, port: int | None = None, schedule: bool = True) -> None:
    """Run jobs and answer staff until the process is asked to stop.

    Raises ConfigurationError when the secret that Apache knows is missing, or the port taken.
    """
    try:
        service = read_service_settings(settings.site)
    except ServiceConfigurationError as error:
        raise ConfigurationError(str(error)) from error
    app = create_agent_app(settings, service)
    try:
        server = create_server(
            app,
            host="127.0.0.1",
            port=port or settings.agent_port,
            threads=6,
            ident=None,
            max_request_body_size=1 << 20,
            channel_timeout=60,
            clear_untrusted_proxy_headers=False,
        )
    except OSError as error:
        raise ConfigurationError(
            f"Port {port or settings.agent_port} is taken: {error.strerror}.",
            hint="Name another with --port or AGENT_PORT.",
        ) from error
    agent = Agent(settings, schedule=schedule)
    agent.start()
    threading.Thread(target=server.run, name="server", daemon=True).start()

    def stop() -> None:
        server.close()
        agent.stop()
        server.task_dispatcher.shutdown(cancel_pending=False, timeout=10)

    until_stopped(stop)
