"""A small site with sign-in on loopback: Apache, the included provider, and an echo for a service.

Everything is real but the release, which is a handful of files, and the service, which says
what it was told.
"""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from content_sync.operations.children import free_port

ROOT = Path(__file__).parents[3]
CONF = ROOT / "deploy" / "apache"
PAGES = {
    "public/index.html": "<h1>Public home</h1>",
    "public/publications/one.html": "<h1>Public one</h1>",
    "members/index.html": "<h1>Members home</h1>",
    "members/publications/two.html": "<h1>Members two</h1>",
    "members/search-index/manifest.json": '{"secret": "members"}',
    "staff/index.html": "<h1>Staff home</h1>",
}
CVS = {
    "acme-circuits/index.html": "<h1>CVs for Acme</h1>",
    "borealis-devices/index.html": "<h1>CVs for Borealis</h1>",
}
SECRET = "between-apache-and-the-service"


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise AssertionError(f"nothing answers at port {port}:\n{log.read_text()[-4000:]}")


@dataclass
class Stack:
    """What runs, where, and how to stop it."""

    site: Path
    port: int
    provider_port: int
    service_port: int
    public_port: int = 0
    """The port that readers use; 0: Apache's own. Another one stands before several nodes."""
    defines: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    echo: Echo | None = None

    @property
    def url(self) -> str:
        return f"https://localhost:{self.public_port or self.port}"

    @property
    def signin_url(self) -> str:
        return f"https://signin.localhost:{self.public_port or self.port}"

    @property
    def live(self) -> Path:
        return self.site / "var" / "live"

    @property
    def log(self) -> Path:
        return self.site / "var" / "log"

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "NIGHTPRESS_SIGNIN_URL": self.signin_url,
            "NIGHTPRESS_SITE_URL": self.url,
            "NIGHTPRESS_PROXY_SECRET": SECRET,
            "NIGHTPRESS_SOURCE": "",
        }

    def nightpress(self, *words: str) -> str:
        """Run a command of the site and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "content_sync.cli", *words, "--site", str(self.site)],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start_provider(self) -> None:
        command = [sys.executable, "-m", "content_sync.cli", "signin", "run"]
        where = ["--port", str(self.provider_port), "--site", str(self.site)]
        self._start("provider", [*command, *where], self.provider_port)

    def start_apache(self) -> None:
        conf = Path(self.defines["NIGHTPRESS_RUN"]) / "site.conf"
        lines = [f'Define {name} "{value}"' for name, value in self.defines.items()]
        conf.write_text("\n".join([*lines, f'Include "{CONF}/server.conf"', ""]))
        self._start("apache", ["/usr/sbin/apache2", "-f", str(conf), "-D", "FOREGROUND"], self.port)

    def _start(self, name: str, command: list[str], port: int) -> None:
        log = self.log / f"{name}.log"
        with log.open("ab") as out:
            self.processes[name] = subprocess.Popen(
                command, cwd=ROOT, env=self.environment(), stdout=out, stderr=subprocess.STDOUT
            )
        wait_for(port, self.processes[name], log)

    def reload_apache(self) -> None:
        """Reload gracefully, as logrotate does every week."""
        marks = (self.log / "apache-error.log").read_text().count("resuming normal operations")
        self.processes["apache"].send_signal(10)  # SIGUSR1
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            text = (self.log / "apache-error.log").read_text()
            if text.count("resuming normal operations") > marks:
                return
            time.sleep(0.05)
        raise AssertionError("Apache did not reload")

    def stop(self, name: str) -> None:
        process = self.processes.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def stop_all(self) -> None:
        for name in list(self.processes):
            self.stop(name)


@contextlib.contextmanager
def stack(provider: str = "included", *, public_port: int = 0, **defines: str) -> Iterator[Stack]:
    """Run a site with sign-in; everything that was started is stopped at the end."""
    # Not pytest's folder, which only its owner may enter: Apache's workers are another user.
    folder = Path(tempfile.mkdtemp(prefix="nightpress-signin-"))
    folder.chmod(0o755)
    made = Stack(folder / "site", free_port(), free_port(), free_port(), public_port)
    echo = Echo(made.service_port)
    try:
        _write_site(made.site)
        _write_certificate(folder)
        run = made.site / "var" / "apache"
        made.defines = {
            "NIGHTPRESS_ORIGIN": made.url,
            "NIGHTPRESS_ADDRESS": "127.0.0.1",
            "NIGHTPRESS_PORT": str(made.port),
            "NIGHTPRESS_SITE": str(made.site),
            "NIGHTPRESS_CONF": str(CONF),
            "NIGHTPRESS_RUN": str(run),
            "NIGHTPRESS_LOG": str(made.log),
            "NIGHTPRESS_MODULES": "/usr/lib/apache2/modules",
            "NIGHTPRESS_CERTIFICATE": str(folder / "site.pem"),
            "NIGHTPRESS_CERTIFICATE_KEY": str(folder / "site.key"),
            "NIGHTPRESS_SERVICE_PORT": str(made.service_port),
            "NIGHTPRESS_AGENT_PORT": str(made.service_port),  # the echo stands for both
            "NIGHTPRESS_SIGNIN": "On",
            "NIGHTPRESS_PROVIDER": provider,
            "NIGHTPRESS_SIGNIN_HOST": made.signin_url.removeprefix("https://"),
            "NIGHTPRESS_SIGNIN_PORT": str(made.provider_port),
            "NIGHTPRESS_SIGNIN_CA": str(folder / "ca.pem"),
            **defines,
        }
        if os.geteuid() == 0:
            made.defines |= {"NIGHTPRESS_USER": "www-data", "NIGHTPRESS_GROUP": "www-data"}
            for mine in (run, run / "sessions"):
                shutil.chown(mine, "www-data", "www-data")
        made.echo = echo
        echo.start()
        yield made
    finally:
        made.stop_all()
        echo.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _write_site(site: Path) -> None:
    release = site / "output" / "releases" / "1"
    for name, text in PAGES.items():
        file = release / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"<!doctype html><title>{name}</title>{text}")
    (release / "release.json").write_text(json.dumps({"number": 1}, indent=1))
    (release / "maps").mkdir()
    (release / "maps" / "oai.txt").touch()
    (site / "output" / "current").symlink_to("releases/1")
    (site / "output" / "earlier.txt").touch()
    for name, text in CVS.items():
        file = site / "var" / "cvbook" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    for name in ("log", "live", "apache/sessions"):
        (site / "var" / name).mkdir(parents=True)
    (site / "var" / "live" / "blocked.grp").write_text("blocked:\n")
    (site / "var" / "live" / "withdrawn.txt").touch()
    (site / "pelicanconf.py").write_text(
        'from content_sync.site_defaults import *\nSITENAME = "Ellmark Consortium"\n'
    )
    subprocess.run(
        [
            *("/usr/sbin/httxt2dbm", "-f", "SDBM", "-i", "/dev/null"),
            *("-o", str(release / "maps" / "redirects")),
        ],
        check=True,
        capture_output=True,
    )


def _write_certificate(folder: Path) -> None:
    """An authority and a certificate for localhost and signin.localhost."""
    now = datetime.datetime.now(datetime.UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Nightpress test authority")])
    days = datetime.timedelta(days=2)

    def certificate(name: x509.Name, key: Any) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(authority)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - days)
            .not_valid_after(now + days)
        )

    ca = certificate(authority, authority_key.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.DNSName(n) for n in ("localhost", "*.localhost", "signin.localhost", "other.localhost")
    ]
    leaf = (
        certificate(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), key.public_key()
        )
        .add_extension(
            x509.SubjectAlternativeName(
                [*names, x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.sign(authority_key, hashes.SHA256()).public_bytes(pem))
    (folder / "site.pem").write_bytes(leaf.sign(authority_key, hashes.SHA256()).public_bytes(pem))
    (folder / "site.key").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


class Echo:
    """A service that answers with what it was told: method, path and headers as JSON."""

    def __init__(self, port: int) -> None:
        from waitress.server import create_server

        self.posted: list[str] = []
        self._server = create_server(self._answer, host="127.0.0.1", port=port, threads=2)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.close()

    def _answer(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["REQUEST_METHOD"] == "POST":
            self.posted.append(environ["wsgi.input"].read().decode())
        told = {n: v for n, v in environ.items() if isinstance(v, str) and n.isupper()}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(told).encode()]
