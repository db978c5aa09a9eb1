"""Who made an edition: Ed25519 signatures over its manifest, by the library `cryptography`."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from content_sync.errors import NightpressError

PUBLIC_ENDING = ".pub"


def signing_key(file: Path) -> Ed25519PrivateKey:
    """Return the key in `file`; where there is none, make one that its owner alone can read."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as target:
            target.write(pem)
        file.with_name(file.name + PUBLIC_ENDING).write_bytes(public_pem(key))
        return key
    try:
        found = load_pem_private_key(file.read_bytes(), password=None)
    except (ValueError, TypeError, OSError) as error:
        raise NightpressError(f"{file} cannot be read as a key: {error}.") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise NightpressError(
            f"{file} is not an Ed25519 key.", hint="Move it away: a new one is made."
        )
    return found


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """Return the public half of a key."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def sign(key: Ed25519PrivateKey, content: bytes) -> bytes:
    """Return the signature of `content`, in base64."""
    return base64.b64encode(key.sign(content)) + b"\n"


def is_signed(pem: bytes, signature: bytes, content: bytes) -> bool:
    """Tell whether `signature` is of this content and this public key."""
    try:
        key = load_pem_public_key(pem)
        if not isinstance(key, Ed25519PublicKey):
            return False
        key.verify(base64.b64decode(signature, validate=False), content)
    except (InvalidSignature, ValueError):
        return False
    return True


def fingerprint(pem: bytes) -> str:
    """Return the digits by which people compare two public keys."""
    digest = hashlib.sha256(b"".join(pem.split())).hexdigest()[:40]
    return " ".join(digest[i : i + 8] for i in range(0, 40, 8))
