"""Makes `.venv` from a lock file, and again only when what it is made of has changed.

Run by make with whatever Python 3 is there, before anything is installed: nothing but the
standard library, and a syntax that an old Python can read far enough to be told so.
"""

import compileall
import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NEEDED = (3, 11)
LOCKS = {
    "runtime": "requirements.lock",
    "development": "requirements-dev.lock",
    "benchmarks": "requirements-bench.lock",
}

SOURCES = ("content_sync", "search", "dynamic")

# pip can install into another environment (--python) from this version on.
PIP_NEEDED = (22, 3)

# Where Debian and Ubuntu keep the pip that python3-venv puts into a new environment.
DEBIAN_PIP = "usr/share/python-wheels/pip-*.whl"
DEBIAN_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


class SetUpError(Exception):
    """Set-up cannot go on; the message says why and what to do, in one line."""


def main() -> None:
    """Bring `.venv` up to the kind named on the command line; exit 1 with one line if not."""
    kind = sys.argv[1]
    try:
        if sys.version_info < NEEDED:
            newer = newer_python(os.environ.get("PATH", ""))
            os.execv(newer, [newer, __file__, kind])  # noqa: S606  # the same script again
        if not is_current(ROOT, kind):
            make(ROOT, kind)
        compile_sources(ROOT)
    except SetUpError as error:
        sys.exit(str(error))


def newer_python(path: str) -> str:
    """Return a Python on `path` that is new enough, though `python3` is not.

    Raises SetUpError when there is none.
    """
    for minor in range(NEEDED[1] + 5, NEEDED[1] - 1, -1):
        found = shutil.which("python3." + str(minor), path=path)
        if found:
            return found
    raise SetUpError(
        f"Nightpress needs Python 3.{NEEDED[1]} or newer; {sys.executable} is "
        f"{sys.version_info[0]}.{sys.version_info[1]}. Install a newer one (Debian 12 and "
        "Ubuntu 24.04 have it) or name one: make PYTHON=/path/to/python3 nightly"
    )


def is_current(root: Path, kind: str) -> bool:
    """Return whether `.venv` is there, works, and was made for this lock file and project."""
    try:
        stamp = _stamp(root, kind).read_text()
    except OSError:
        return False
    return stamp == _state(root, kind) and _python(root).exists()


def make(root: Path, kind: str) -> None:
    """Make `.venv` of this kind, and Nightpress in it as the work tree stands.

    Raises SetUpError.
    """
    print(f"Setting up .venv from {LOCKS[kind]} …", flush=True)
    if not is_current(root, "runtime"):
        _make_empty(root)
    pip = _pip(root)
    exactly = ["--require-hashes", "--no-deps", "--only-binary", ":all:"]
    _run([*pip, "install", *exactly, "--requirement", LOCKS[kind]], root)
    from_here = ["--no-index", "--no-deps", "--no-build-isolation"]
    _run([*pip, "install", *from_here, "--editable", "."], root)
    mark_as_made(root, kind)


def compile_sources(root: Path) -> None:
    """Compile those of Nightpress's own sources that changed, as pip does with what it installs.

    Every process of a build would do it again where nobody may write beside them, or where
    PYTHONDONTWRITEBYTECODE is set: 0.7 s each.
    """
    for folder in SOURCES:
        compileall.compile_dir(str(root / folder), quiet=2)


def mark_as_made(root: Path, kind: str) -> None:
    """Leave the stamp that `is_current` looks for, the last thing that set-up does."""
    # The other locks hold all that the runtime lock holds, at the same versions.
    for made in {"runtime", kind}:
        _stamp(root, made).write_text(_state(root, made))


def _make_empty(root: Path) -> None:
    if importlib.util.find_spec("venv") is None:
        raise SetUpError(
            f"{sys.executable} lacks the standard module venv. "
            "Install the whole of Python (Debian, Ubuntu: apt-get install python3)."
        )
    # With pip it would fail on a Debian that has no python3-venv; pip comes afterwards.
    _run([sys.executable, "-m", "venv", "--without-pip", "--clear", ".venv"], root)


def _pip(root: Path) -> "list[str]":
    """Return the command that is pip for `.venv`, from the first place that has one."""
    python = str(_python(root))
    inside, outside = [python, "-m", "pip"], [sys.executable, "-m", "pip", "--python", python]
    options = ["--quiet", "--quiet", "--no-input", "--disable-pip-version-check"]
    certificates = root / ".venv" / "certificates.pem"
    if not _works([*inside, "--version"]):
        if importlib.util.find_spec("ensurepip"):
            _run([python, "-m", "ensurepip"], root, quiet=True)
        elif _has_usable_pip(sys.executable):
            return [*outside, *options]
        else:
            _install_debian_pip(python, certificates, root)
    if certificates.exists() and "PIP_CERT" not in os.environ:
        options += ["--cert", str(certificates)]
    return [*inside, *options]


def _has_usable_pip(python: str) -> bool:
    command = [python, "-m", "pip", "--version"]
    answer = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    words = answer.stdout.decode().split()
    if answer.returncode or len(words) < 2:
        return False
    return tuple(int(n) for n in words[1].split(".")[:2] if n.isdigit()) >= PIP_NEEDED


def _install_debian_pip(python: str, certificates: Path, root: Path) -> None:
    """Put Debian's or Ubuntu's own pip into `.venv`, and their certificates if need be.

    Where they are not installed, apt-get fetches their packages with the machine's own
    sources and keys, which any user may do; nothing is installed outside `.venv`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheels = list(Path("/").glob(DEBIAN_PIP))
        if not wheels and shutil.which("apt-get"):
            with contextlib.suppress(SetUpError):
                _fetch_debian_packages(["python3-pip-whl", "ca-certificates"], folder)
            wheels = list(folder.glob(DEBIAN_PIP))
        if not wheels:
            raise SetUpError(
                "No pip can be had for .venv. Install it (Debian, Ubuntu, as root: "
                "apt-get install python3-venv) and run the same command again."
            )
        _run([python, f"{wheels[0]}/pip", "install", "-qq", "--no-index", str(wheels[0])], root)
        fetched = sorted(folder.glob("usr/share/ca-certificates/*/*.crt"))
        # This pip looks for certificates in one place only.
        if fetched and not DEBIAN_CERTIFICATES.exists():
            certificates.write_text("".join(path.read_text(encoding="ascii") for path in fetched))


def _fetch_debian_packages(packages: "list[str]", folder: Path) -> None:
    """Fetch packages and unpack them into `folder`, with package lists of our own there."""
    for part in ("state/lists/partial", "cache/archives/partial"):
        (folder / part).mkdir(parents=True)
    places = ["-o", f"Dir::State={folder}/state", "-o", f"Dir::Cache={folder}/cache"]
    apt_get = ["apt-get", "-qq", *places, "-o", "APT::Sandbox::User="]
    _run([*apt_get, "update"], folder)
    _run([*apt_get, "download", *packages], folder)
    for archive in folder.glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(archive), str(folder)], folder)


def _run(command: "list[str]", folder: Path, quiet: bool = False) -> None:
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, cwd=folder, env=_clean_environment(), stdout=output, check=False)
    if done.returncode:
        raise SetUpError(
            f"Set-up stopped: '{' '.join(command)}' failed, as said above. "
            "It starts again with the same command."
        )


def _works(command: "list[str]") -> bool:
    quiet = subprocess.DEVNULL
    return not subprocess.run(
        command, stdout=quiet, stderr=quiet, env=_clean_environment(), check=False
    ).returncode


def _clean_environment() -> "dict[str, str]":
    """Return the environment without what would lead pip out of `.venv`."""
    astray = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_REQUIRE_VIRTUALENV", "PYTHONPATH"}
    kept = {name: value for name, value in os.environ.items() if name not in astray}
    return {**kept, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}


def _state(root: Path, kind: str) -> str:
    """Return the digest of all that `.venv` is made of: its scripts hold the folder's path."""
    import tomllib  # from Python 3.11 on

    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    installed = [project["project"], project["build-system"], project["tool"]["hatch"]]
    digest = hashlib.sha256((root / LOCKS[kind]).read_bytes())
    digest.update(repr((str(root), installed)).encode())
    return digest.hexdigest()


def _stamp(root: Path, kind: str) -> Path:
    return root / ".venv" / (kind + ".stamp")


def _python(root: Path) -> Path:
    return root / ".venv" / "bin" / "python"


if __name__ == "__main__":
    main()
