"""Tokens with which a program may read the state of the builds, and nothing else."""

from __future__ import annotations

import hashlib
import secrets

from content_sync.agent.store import note, now, rows, writing
from content_sync.settings import Settings


def give(settings: Settings, name: str, who: str) -> str:
    """Return a new token; only its digest is kept."""
    token = secrets.token_urlsafe(32)
    with writing(settings) as connection:
        connection.execute(
            "INSERT INTO tokens (digest, name, made, who) VALUES (?, ?, ?, ?)",
            (_digest(token), name, now(), who),
        )
        note(connection, who, "tray token", name, "")
    return token


def revoke(settings: Settings, name: str, who: str) -> int:
    """Revoke the tokens of a name and return how many there were."""
    with writing(settings) as connection:
        gone = connection.execute("DELETE FROM tokens WHERE name = ?", (name,)).rowcount
        if gone:
            note(connection, who, "revoke tray token", name, "")
    return gone


def is_good(settings: Settings, token: str) -> bool:
    """Whether a token was given and not revoked."""
    sql = "SELECT 1 FROM tokens WHERE digest = ?"
    return bool(rows(settings, sql, _digest(token)))


def names(settings: Settings) -> list[str]:
    return [row["name"] for row in rows(settings, "SELECT DISTINCT name FROM tokens ORDER BY 1")]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
