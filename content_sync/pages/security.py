"""`/.well-known/security.txt` (RFC 9116): where faults that endanger the site are reported."""

from __future__ import annotations

from datetime import date

from content_sync.settings import Settings

SECURITY_FILE = "public/.well-known/security.txt"
_MONTHS = 11
"""A date more than a year ahead would not count."""


def security_text(settings: Settings, today: str, language: str) -> str:
    """Return the file's text; its date of expiry changes once a month."""
    day = date.fromisoformat(today)
    month = day.month - 1 + _MONTHS
    expires = date(day.year + month // 12, month % 12 + 1, 1)
    lines = [
        f"Contact: {settings.security_contact}",
        f"Expires: {expires.isoformat()}T00:00:00Z",
        f"Preferred-Languages: {language}",
    ]
    if settings.siteurl:
        lines.append(f"Canonical: {settings.siteurl}/.well-known/security.txt")
    return "\n".join(lines) + "\n"
