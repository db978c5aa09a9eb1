"""The other ways to run the configuration: Debian's own service, and what Windows would read."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from content_sync.operations.apache import CONFIGURATION, User, _serving_user
from content_sync.operations.children import Children, free_port
from content_sync.operations.stack import answers
from tests.deploy.apache.conftest import Served
from tests.deploy.apache.wire import Client, get

pytestmark = pytest.mark.needs("apache")
DEBIAN = Path("/etc/apache2")
# What Debian's package enables by itself.
OWN = (
    "mpm_event authn_core authz_core authz_host authz_user access_compat auth_basic authn_file"
    " alias deflate dir env filter mime negotiation setenvif"
).split()


def debian_site(served: Served, folder: Path, port: int, http_port: int) -> Path:
    """Write what Debian's apache2.conf amounts to, with our site enabled as its words say."""
    text = (CONFIGURATION / "debian.conf").read_text("utf-8")
    named = re.search(r"a2enmod ((?:[^\n]|\\\n)*?)\n#   a2dismod", text)
    assert named
    modules = [word for word in re.split(r"[\s\\#]+", named[1]) if word]
    loads = dict.fromkeys([*OWN, *_needed(modules), *modules])
    values = {
        "NIGHTPRESS_ORIGIN": served.stack.url.replace(str(served.stack.port), str(port)),
        "NIGHTPRESS_ADDRESS": "127.0.0.1",
        "NIGHTPRESS_PORT": str(port),
        "NIGHTPRESS_SITE": str(served.settings.site),
        "NIGHTPRESS_CONF": str(CONFIGURATION),
        "NIGHTPRESS_RUN": str(folder),
        "NIGHTPRESS_LOG": str(folder),
        "NIGHTPRESS_CERTIFICATE": str(served.stack.authority.with_name("site.pem")),
        "NIGHTPRESS_CERTIFICATE_KEY": str(served.stack.authority.with_name("site.key")),
    }
    for name, value in values.items():
        text, count = re.subn(rf"^Define {name} .*$", f"Define {name} {value}", text, flags=re.M)
        assert count == 1, name
    text = text.replace("<VirtualHost *:80>", f"<VirtualHost 127.0.0.1:{http_port}>")
    user = _serving_user() or User("", "", 0, frozenset())
    lines = [
        f"ServerRoot {DEBIAN}",
        f"PidFile {folder}/apache.pid",
        f"Mutex file:{folder} default",
        f"DefaultRuntimeDir {folder}",
        f"ErrorLog {folder}/error.log",
        *([f"User {user.name}", f"Group {user.group}"] if user.name else []),
        *(f"Include mods-available/{name}.load" for name in loads),
        "TypesConfig /etc/mime.types",
        f"Listen 127.0.0.1:{http_port}",
        f"Listen 127.0.0.1:{port}",
        text,
    ]
    conf = folder / "apache2.conf"
    conf.write_text("\n".join(lines))
    return conf


def _needed(modules: list[str]) -> list[str]:
    """What a2enmod enables along, as the modules' own files say."""
    found = []
    for name in modules:
        text = (DEBIAN / "mods-available" / f"{name}.load").read_text()
        if depends := re.search(r"^# Depends: (.*)$", text, re.M):
            found += depends[1].split()
    return found


def test_debians_service_serves_the_site_as_the_process_does(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
    reachable: Callable[[], Path],
) -> None:
    with make_served() as served, Children() as children:
        folder, port, http_port = reachable(), free_port(), free_port()
        conf = debian_site(served, folder, port, http_port)
        command = ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", str(conf)]
        apache = children.start("Debian's Apache", command, log=folder / "start.log")
        children.wait_for(apache, lambda: answers(served.stack, port))
        ours = served.stack.port
        paths = ["/", "/about/", "/nothing", "/members/", "/feeds/news.atom.xml"]
        paths += [
            "/"
            + str(next(served.file("public").glob("assets/css/*.css")))[
                len(str(served.file("public"))) + 1 :
            ]
        ]
        for path in paths:
            for accepted in ("", "br", "gzip"):
                headers = {"Accept-Encoding": accepted}
                served.stack.port = ours
                one = get(served.stack, path, headers)
                served.stack.port = port
                two = get(served.stack, path, headers)
                assert (two.status, two.body) == (one.status, one.body), path
                for name in ("Content-Type", "Content-Encoding", "Vary", "Cache-Control", "ETag"):
                    assert two[name] == one[name], (path, name)
                assert two["Content-Security-Policy"] == one["Content-Security-Policy"]
        served.stack.port = ours
        told = subprocess.run(
            ["/usr/sbin/apache2", "-t", "-f", str(conf)], capture_output=True, text=True
        )
        assert "Syntax OK" in told.stderr
        moved = _http(http_port, "/about/?x=1")
        assert "301" in moved
        assert f"Location: {served.stack.url.replace(str(ours), str(port))}/about/?x=1" in moved


def _http(port: int, path: str) -> str:
    import socket

    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        request = f"GET {path} HTTP/1.1\r\nHost: publications.example\r\nConnection: close\r\n\r\n"
        plain.sendall(request.encode())
        answer = b""
        while piece := plain.recv(4096):
            answer += piece
    return answer.decode("latin-1")


def test_the_pointer_of_windows_and_its_rules_work_here_too(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
    reachable: Callable[[], Path],
) -> None:
    """What differs on Windows and can be tried on Linux: the number in a file, strict names."""
    with make_served() as served, Children() as children:
        folder, port = reachable(), free_port()
        number = served.settings.output / "current.txt"
        number.write_text(f"{served.file('').resolve().name}\n")
        text = (served.stack.run / "site.conf").read_text()
        text = re.sub(
            r'Define NIGHTPRESS_(RUN|LOG) ".*"', rf'Define NIGHTPRESS_\1 "{folder}"', text
        )
        text = re.sub(r'Define NIGHTPRESS_PORT ".*"', f'Define NIGHTPRESS_PORT "{port}"', text)
        pointer = f"\"file('{number}') =~ m#^([0-9]+)#\""
        conf = folder / "site.conf"
        conf.write_text(f"Define NIGHTPRESS_POINTER {pointer}\nDefine NIGHTPRESS_WINDOWS\n{text}")
        command = ["/usr/sbin/apache2", "-D", "FOREGROUND", "-f", str(conf)]
        apache = children.start("Apache", command, log=folder / "start.log")
        children.wait_for(apache, lambda: answers(served.stack, port))
        served.stack.port, ours = port, served.stack.port
        assert get(served.stack, "/about/").status == 200
        for path in ("/About/", "/about./", "/about%20/", "/ABOUT~1/", "/about::$DATA"):
            assert get(served.stack, path).status == 404, path
        number.write_text("99999\n")
        assert get(served.stack, "/about/").status == 404
        served.stack.port = ours
        with Client(served.stack) as client:
            assert client.ask("/about/").status == 200


SIGN_IN = {
    f"NIGHTPRESS_{who}_{what}"
    for who in ("MEMBER", "STAFF", "STUDENT", "RESEARCHER")
    for what in ("FROM", "CLAIM", "VALUE")
} | {"NIGHTPRESS_HINT", "NIGHTPRESS_NO_HINT"}


def test_every_variable_is_explained(built: Path) -> None:
    """Each variable that the configuration reads stands in the example, or has a default."""
    read = set()
    defined = set()
    for file in CONFIGURATION.glob("*.conf"):
        if file.name.startswith("sign"):
            continue  # docs/sign-in.md tells these
        text = re.sub(r"^\s*#.*$", "", file.read_text("utf-8"), flags=re.M)
        read |= set(re.findall(r"\$\{(NIGHTPRESS_\w+)\}", text))
        defined |= set(re.findall(r"Define (NIGHTPRESS_\w+) ", text))
    example = (CONFIGURATION / "site.conf.example").read_text("utf-8")
    told = set(re.findall(r"Define (NIGHTPRESS_\w+)|(NIGHTPRESS_PROXY_SECRET)", example))
    named = {name for pair in told for name in pair if name}
    read -= {name for name in read if name.startswith("NIGHTPRESS_IS_")}
    assert read - defined - named - SIGN_IN == set()
