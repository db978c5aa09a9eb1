"""The whole stack on loopback, for a look and for tests: Apache, sign-in, the service.

`with running_stack(settings) as stack:` starts each part as a child process, waits until it
answers, and stops all of them again.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from content_sync.errors import ConfigurationError
from content_sync.operations.apache import Apache, find_apache
from content_sync.operations.certificates import Certificate, throwaway
from content_sync.operations.children import Child, ChildDied, Children, free_port, listens
from content_sync.operations.overlay import make_overlay
from content_sync.release.earlier import write_earlier
from content_sync.release.releases import live
from content_sync.settings import Settings

HOST = "nightpress.localhost"
SIGNIN_HOST = "signin.localhost"
"""Cookies ignore ports, so the provider has a host name of its own."""
ADDRESS = "127.0.0.1"
_NIGHTPRESS = (sys.executable, "-m", "content_sync.cli")
_ENGINE = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Stack:
    """A running stack."""

    url: str
    """https://nightpress.localhost:port, no slash at its end."""
    host: str
    port: int
    authority: Path
    """The certificate, in PEM, that clients are to trust."""
    signin_url: str
    """The included provider's address; empty without sign-in."""
    service_port: int
    agent_port: int
    """Of the rebuild agent; 0 where it does not run."""
    proxy_secret: str
    run: Path
    log: Path
    children: Children
    demo: list[str] = field(default_factory=list)
    """The demo sign-ins, a line each."""
    reload: Callable[[], None] = lambda: None
    """Have Apache read its configuration again, gracefully."""


@contextlib.contextmanager
def running_stack(
    settings: Settings,
    *,
    port: int = 0,
    signin: bool | None = None,
    service: bool | None = None,
    agent: bool | None = None,
    signin_host: str = SIGNIN_HOST,
) -> Iterator[Stack]:
    """Give the running stack of a site whose first release is live; port 0 takes a free one.

    `signin` and `service` None mean: if they are installed; `agent` None: with the sign-in, without
    which nobody could reach it. Raises ConfigurationError when Apache is missing or nothing is
    live, ChildDied when a part does not start.
    """
    if live(settings) is None:
        raise ConfigurationError(
            "Nothing is published yet.", hint="Run 'nightpress nightly' first."
        )
    find_apache(signin=False)
    signin = _has("deploy.signin.start", "allauth") if signin is None else signin
    service = _has("dynamic.app", "flask") if service is None else service
    agent = signin if agent is None else agent
    port = port or free_port()
    _check_free(port)
    signin_backend = free_port() if signin else 0
    url, signin_url = f"https://{HOST}:{port}", f"https://{signin_host}:{port}"
    make_overlay(settings)
    (settings.var / "cvbook").mkdir(exist_ok=True)
    write_earlier(settings)
    certificate = throwaway(settings.var / "apache" / "tls", (HOST, signin_host))
    secret = secret_of(settings.var / "secrets" / "proxy-secret")
    apache = Apache(
        origin=url,
        address=ADDRESS,
        port=port,
        site=settings.site,
        run=settings.var / "apache",
        log=settings.var / "log",
        certificate=certificate.certificate,
        key=certificate.key,
        service_port=free_port(),
        agent_port=free_port() if agent else None,
        signin=signin,
        signin_host=f"{signin_host}:{port}",
        authority=certificate.authority,
        signin_port=signin_backend,
    )
    command = apache.write()
    stack = Stack(
        url=url,
        host=HOST,
        port=port,
        authority=certificate.authority,
        signin_url=signin_url if signin else "",
        service_port=apache.service_port,
        agent_port=apache.agent_port or 0,
        proxy_secret=secret,
        run=apache.run,
        log=apache.log,
        children=Children(),
    )
    stack.reload = lambda: _graceful(stack)
    environment = _environment(settings, stack, certificate)
    with stack.children as children:
        provider = _start_signin(settings, stack, signin_backend, environment) if signin else None
        behind = _start_service(settings, stack, environment) if service else None
        rebuilds = _start_agent(settings, stack, environment) if agent else None
        if provider:
            children.wait_for(provider, lambda: listens(signin_backend))
            stack.demo = _demo_people(settings, environment)
        if behind:
            children.wait_for(behind, lambda: listens(stack.service_port))
        if rebuilds:
            children.wait_for(rebuilds, lambda: listens(stack.agent_port))
        started = children.start(
            "Apache", command, log=apache.log / "apache.log", environment=environment
        )
        children.wait_for(started, lambda: answers(stack, port))
        yield stack


def secret_of(file: Path) -> str:
    """Return the secret in a file, made where there is none; readable by its owner alone."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_urlsafe(32))
    return file.read_text("ascii").strip()


def answers(stack: Stack, port: int) -> bool:
    """Whether an Apache with the stack's certificate answers at a port.

    It listens before it reads its configuration a second time, and resets who came until then;
    hands are shaken only by those of its processes that serve.
    """
    context = ssl.create_default_context(cafile=str(stack.authority))
    try:
        with (
            socket.create_connection((ADDRESS, port), timeout=20) as plain,
            context.wrap_socket(plain, server_hostname=stack.host),
        ):
            return True
    except OSError:
        return False


def request(stack: Stack, path: str, headers: dict[str, str] | None = None) -> bytes:
    """Return the raw answer to one GET over a connection of its own: status line and all.

    Python's resolver need not know *.localhost, so the connection goes to loopback itself.
    """
    context = ssl.create_default_context(cafile=str(stack.authority))
    with (
        socket.create_connection((ADDRESS, stack.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=stack.host) as connection,
    ):
        lines = [f"GET {path} HTTP/1.1", f"Host: {stack.host}:{stack.port}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
        received = bytearray()
        while piece := connection.recv(1 << 16):
            received += piece
    return bytes(received)


def _environment(settings: Settings, stack: Stack, certificate: Certificate) -> dict[str, str]:
    path = os.pathsep.join(p for p in (str(_ENGINE), os.environ.get("PYTHONPATH", "")) if p)
    values = {
        "PYTHONPATH": path,
        "PYTHONUNBUFFERED": "1",
        "NIGHTPRESS_PROXY_SECRET": stack.proxy_secret,
        "NIGHTPRESS_SITE_URL": stack.url,
        "NIGHTPRESS_SITEURL": stack.url,
        "NIGHTPRESS_CA_BUNDLE": str(certificate.authority),
    }
    if stack.signin_url:
        values["NIGHTPRESS_SIGNIN_URL"] = stack.signin_url
    return values


def _start_signin(
    settings: Settings, stack: Stack, port: int, environment: dict[str, str]
) -> Child:
    where = ["--site", str(settings.site), "--url", stack.signin_url, "--site-url", stack.url]
    return stack.children.start(
        "The identity provider",
        [*_NIGHTPRESS, "signin", "run", "--port", str(port), *where],
        log=stack.log / "signin.log",
        environment=environment,
        folder=settings.site,
    )


def _demo_people(settings: Settings, environment: dict[str, str]) -> list[str]:
    """Make the demo's accounts and return a line for each; none for a real site."""
    if settings.source:
        return []
    made = subprocess.run(
        [*_NIGHTPRESS, "signin", "demo", "--site", str(settings.site)],
        env={**os.environ, **environment},
        cwd=settings.site,
        capture_output=True,
        text=True,
    )
    return made.stdout.splitlines() if made.returncode == 0 else []


def _start_service(settings: Settings, stack: Stack, environment: dict[str, str]) -> Child:
    where = ["--site", str(settings.site)]
    log = stack.log / "service.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        migrated = subprocess.run(
            [*_NIGHTPRESS, "service", "migrate", *where],
            env={**os.environ, **environment},
            cwd=settings.site,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    if migrated.returncode:
        raise ChildDied.told("The service's database cannot be prepared", log)
    return stack.children.start(
        "The service",
        [*_NIGHTPRESS, "service", "run", *where, "--port", str(stack.service_port)],
        log=log,
        environment=environment,
        folder=settings.site,
    )


def _start_agent(settings: Settings, stack: Stack, environment: dict[str, str]) -> Child:
    where = ["--site", str(settings.site), "--port", str(stack.agent_port)]
    return stack.children.start(
        "The rebuild agent",
        [*_NIGHTPRESS, "agent", "--no-schedule", *where],
        log=stack.log / "agent.log",
        environment=environment,
        folder=settings.site,
    )


def _graceful(stack: Stack) -> None:
    import signal

    apache = next(child for child in stack.children.running if child.title == "Apache")
    apache.process.send_signal(signal.SIGUSR1)


def _has(*modules: str) -> bool:
    """Whether modules can be imported, without importing their own code."""
    try:
        return all(importlib.util.find_spec(module) for module in modules)
    except ModuleNotFoundError:
        return False


def _check_free(port: int) -> None:
    if listens(port, ADDRESS):
        raise ConfigurationError(f"Port {port} is taken.", hint="Choose another one with --port.")
