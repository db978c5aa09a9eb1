"""A disk that is really full: a small file system in memory, in a mount namespace of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from content_sync.settings import Settings
from tests.content_sync.agent.conftest import ENVIRONMENT, built_site, settings

__all__ = ["built_site", "settings"]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")

_STORY = """
import contextlib, os, shutil, sqlite3, sys
from pathlib import Path
from content_sync.operations import overlay
from content_sync.release.releases import live
from content_sync.settings import read_settings
from tests.content_sync.agent.conftest import nightpress
from tests.content_sync.agent.test_agent import a_publication, edit

site = Path(sys.argv[1]) / "site"
shutil.copytree(sys.argv[2], site, symlinks=True)
settings = read_settings(site)
key = a_publication(settings)
before = live(settings).number
page = (site / "output/current/public/index.html").read_bytes()
filler = site.parent / "filler"

def fill(left):
    with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
        while True:
            file.write(b"x" * 4096)
    os.truncate(filler, max(0, filler.stat().st_size - left))

# Each round leaves a little more room, so that the disk is full in another step of the night.
failed = 0
for number, left in enumerate((0, 300_000, 900_000, 2_000_000, 3_500_000)):
    edit(settings, "UPDATE publications SET title = ? WHERE id = ?", f"Round {number}", key)
    fill(left)
    said = nightpress(settings, "nightly", "--full", fails=None)
    full = "No space" in said or "disk is full" in said or "cannot be written" in said
    failed += full
    if full:
        assert live(settings).number == before, said
        assert (site / "output/current/public/index.html").read_bytes() == page
        assert "Traceback" not in said, said
        print("full:", said.strip().splitlines()[-1])
    filler.unlink()
    before = live(settings).number
    page = (site / "output/current/public/index.html").read_bytes()
assert failed >= 3, failed

# A withdrawal on a full disk says that it was not done, and the overlay is whole.
fill(0)
said = nightpress(settings, "withdraw", f"publication:{key}", "--reason", "Now", fails=True)
assert "Traceback" not in said, said
overlay.withdrawn(settings)
filler.unlink()

# Room again: the next night is an ordinary one, and nothing is left of the others.
nightpress(settings, "nightly")
nightpress(settings, "check", "--full")
assert not [f for f in (site / "output/releases").iterdir() if "." in f.name]
"""


def test_the_live_site_outlives_a_full_disk_in_every_step(
    settings: Settings, tmp_path: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    # Room for the site, whose files take whole blocks there, and for another release of it.
    files = [f.stat().st_size for f in settings.site.rglob("*") if f.is_file()]
    size = sum(-(-n // 4096) * 4096 for n in files) * 1.6 + 8_000_000
    script = tmp_path / "story.py"
    script.write_text(_STORY)
    mounted = f'mount -t tmpfs -o size={int(size)} none "$1" && exec "$2" "$3" "$1" "$4"'
    done = subprocess.run(
        [
            "unshare",
            "-Urm",
            "sh",
            "-c",
            mounted,
            "sh",
            small,
            sys.executable,
            script,
            settings.site,
        ],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
