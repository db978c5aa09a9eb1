"""Secrets that are made at the first run and kept in var/secrets, readable by their owner only."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path

KEY = "signin-key"
RSA = "signin-rsa.pem"
SESSIONS = "sessions.conf"
"""For Apache: what it encrypts sessions with."""
CLIENT = "included.conf"
"""For Apache: the secret that it shows the included provider."""


def make_secrets(folder: Path) -> None:
    """Make the secrets of the provider, and Apache's, that are not there yet."""
    keep(folder, KEY, lambda: secrets.token_urlsafe(48))
    keep(folder, RSA, _rsa)
    make_session_key(folder)
    keep(folder, CLIENT, lambda: f'OIDCClientSecret "{secrets.token_urlsafe(32)}"\n')


def make_session_key(folder: Path) -> None:
    """Make what Apache encrypts sessions with; all that a provider elsewhere needs here."""
    keep(folder, SESSIONS, lambda: f"Define NIGHTPRESS_SESSIONS_KEY {secrets.token_urlsafe(32)}\n")


def client_secret(folder: Path) -> str:
    """Return the secret that Apache shows the included provider."""
    return (folder / CLIENT).read_text("ascii").split('"')[1]


def keep(folder: Path, name: str, make: Callable[[], str]) -> str:
    """Return a secret; make it once, in a file that was never readable by anyone else."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / name
    if not file.exists():
        new = file.with_name(f".{name}.{os.getpid()}")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii", newline="\n") as out:
            out.write(make())
        try:
            _move(new, file)
        finally:
            new.unlink(missing_ok=True)
    return file.read_text("ascii")


def _move(new: Path, file: Path) -> None:
    """Give the file its name, unless another process was faster: then theirs stands."""
    try:
        os.link(new, file)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        if not file.exists():
            new.rename(file)


def _rsa() -> str:
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
    )

    key = generate_private_key(public_exponent=65537, key_size=3072)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode("ascii")
