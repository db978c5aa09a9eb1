"""What Apache sends to the service with a request."""

from __future__ import annotations

SECRET = "a secret that only Apache and the service know"


def signed_in(subject: str = "u-1", *groups: str, **facts: str) -> dict[str, str]:
    """Return the headers that Apache sends for a signed-in reader."""
    return {
        "X-Proxy-Secret": SECRET,
        "X-Remote-User": subject,
        "X-Remote-Email": facts.get("email", f"{subject}@example.org"),
        "X-Remote-Name": facts.get("name", subject).encode().decode("latin-1"),
        "X-Remote-Groups": ",".join(groups),
        "X-Remote-Company": facts.get("company", ""),
    }
