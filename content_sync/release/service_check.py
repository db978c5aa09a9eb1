"""Whether a release's service file can be used by the service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from content_sync.release.crawl import Finding
from content_sync.release.releases import read_info

SERVICE_FILE = "service/records.json"


def check_service_file(root: Path, number: int) -> Iterator[Finding]:
    """A release that says that it has a service file has one, whole and of its own number."""
    if not read_info(root).get("service_file"):
        return
    try:
        facts = json.loads((root / SERVICE_FILE).read_bytes())
        known = facts["version"], facts["release"]
        facts["events"], facts["deliverables"], facts["assets"], facts["nav"]
    except FileNotFoundError:
        yield Finding(SERVICE_FILE, "", "it is missing")
    except (OSError, ValueError, KeyError, TypeError) as error:
        yield Finding(SERVICE_FILE, "", f"the service cannot read it: {type(error).__name__}")
    else:
        if known != (1, number):
            yield Finding(SERVICE_FILE, "", f"it is of version and release {known}")
