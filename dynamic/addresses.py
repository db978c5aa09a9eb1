"""E-mail addresses: whether mail can be sent to one."""

from __future__ import annotations

import re

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")
_HOST = re.compile(r"(?=.{1,253}$)[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9-]+)*")


def mail_address(text: str) -> str | None:
    """Return an address as mail servers write it, or None if it is none.

    The host may be written in any script; nothing else that could break out of a header or
    name a second recipient is let through.
    """
    local, at, host = text.strip().rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        return None
    if not host.isascii():
        try:
            host = host.encode("idna").decode()
        except UnicodeError:
            return None
    return f"{local}@{host.lower()}" if _HOST.fullmatch(host) else None
