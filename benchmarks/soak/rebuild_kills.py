"""Kill -9 at random moments of night, fast lane, mirror and withdrawal, with readers at work."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from content_sync.settings import read_settings
from tests.ceph import ACCESS_KEY, SECRET_KEY, client_of, radosgw
from tests.content_sync.agent.conftest import CONF, ENVIRONMENT, nightpress
from tests.content_sync.agent.kills import campaign

TITLE = "100 kills of sync, build, publish, mirror and withdrawal while readers ask"
KILLS = 100


def run(scale: float) -> dict[str, int | str]:
    """Kill jobs for `scale` of the full number; raise AssertionError at any wrong answer."""
    given = {"ACCESS_KEY_ID": ACCESS_KEY, "SECRET_ACCESS_KEY": SECRET_KEY}
    for name, value in {**given, "DEFAULT_REGION": "us-east-1"}.items():
        os.environ[f"AWS_{name}"] = ENVIRONMENT[f"AWS_{name}"] = value
    with tempfile.TemporaryDirectory(prefix="nightpress-soak-") as folder, radosgw() as address:
        root = Path(folder)
        root.chmod(0o755)
        client_of(address).create_bucket(Bucket="soak")
        return campaign(
            make_site(root / "site", address, "soak"), kills=max(8, round(KILLS * scale))
        )


def make_site(root: Path, address: str, bucket: str) -> Path:
    """Make a site with one live release and a mirror."""
    for folder in ("content/news", "content/pages"):
        (root / folder).mkdir(parents=True)
    (root / "pelicanconf.py").write_text(
        f'{CONF}MIRROR = "s3://{bucket}"\nS3_ENDPOINT_URL = "{address}"\n'
    )
    settings = read_settings(root)
    nightpress(settings, "demo", "-n", "40")
    nightpress(settings, "nightly")
    return root
