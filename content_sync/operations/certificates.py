"""Throwaway certificates for a stack on one's own machine. Real ones: docs/serving.md."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from content_sync.errors import ConfigurationError

_DAYS = 90
_RENEW_DAYS = 10


@dataclass(frozen=True, slots=True)
class Certificate:
    """Files in PEM: the authority that clients are to trust, the certificate, its key."""

    authority: Path
    certificate: Path
    key: Path


def throwaway(folder: Path, names: Sequence[str]) -> Certificate:
    """Return a certificate for these host names and loopback, made anew if it must be.

    The authority's key is thrown away once it has signed: nobody can sign with it later.
    Raises ConfigurationError without the package `cryptography`.
    """
    files = Certificate(folder / "ca.pem", folder / "site.pem", folder / "site.key")
    if not _is_good(files, names):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(files, names)
    return files


def _is_good(files: Certificate, names: Sequence[str]) -> bool:
    x509 = _x509()
    try:
        found = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        there = files.key.is_file() and files.authority.is_file()
    except (OSError, ValueError):
        return False
    held = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    is_fresh = found.not_valid_after_utc > datetime.now(UTC) + timedelta(days=_RENEW_DAYS)
    return there and is_fresh and set(names) <= set(held.get_values_for_type(x509.DNSName))


def _make(files: Certificate, names: Sequence[str]) -> None:
    x509 = _x509()
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.now(UTC)

    def builder(name: str, issuer: str, key: ec.EllipticCurvePublicKey) -> Any:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=_DAYS))
        )

    title = f"Nightpress, throwaway of {now:%Y-%m-%d %H:%M}"
    authority_key = ec.generate_private_key(ec.SECP256R1())
    public = authority_key.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    authority = (
        builder(title, title, public)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(x509, signs=True), critical=True)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    key = ec.generate_private_key(ec.SECP256R1())
    hosts = [x509.DNSName(name) for name in dict.fromkeys([*names, "localhost"])]
    loopback = [x509.IPAddress(ipaddress.ip_address(one)) for one in ("127.0.0.1", "::1")]
    server_use = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.SERVER_AUTH])
    certificate = (
        builder(names[0], title, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(x509, signs=False), critical=True)
        .add_extension(server_use, critical=False)
        .add_extension(x509.SubjectAlternativeName([*hosts, *loopback]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier),
            critical=False,
        )
        .sign(authority_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    files.authority.write_bytes(authority.public_bytes(pem))
    files.certificate.write_bytes(certificate.public_bytes(pem))
    files.key.unlink(missing_ok=True)
    with os.fdopen(os.open(files.key, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        out.write(
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )


def _usage(x509: Any, *, signs: bool) -> Any:
    return x509.KeyUsage(
        digital_signature=not signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=signs,
        encipher_only=False,
        decipher_only=False,
    )


def _x509() -> Any:
    try:
        from cryptography import x509
    except ImportError as error:
        raise ConfigurationError(
            "The stack's throwaway certificate needs the package cryptography.",
            hint="Install it with 'pip install cryptography'.",
        ) from error
    return x509
