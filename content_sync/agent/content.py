"""Prose and news from a git repository, pulled before each build."""

from __future__ import annotations

import os
import subprocess

from content_sync.settings import Settings

SECONDS = 120


def pull_content(settings: Settings) -> str:
    """Bring `content/` up to date if CONTENT_GIT names a repository; return a line to tell.

    A repository that does not answer stops no night: the prose stays as it was.
    """
    if not settings.content_git:
        return ""
    folder = settings.site / "content"
    if (folder / ".git").exists():
        command = ["git", "-C", str(folder), "pull", "--ff-only", "--", settings.content_git]
    elif not folder.exists() or not any(folder.iterdir()):
        command = ["git", "clone", "--depth=1", "--", settings.content_git, str(folder)]
    else:
        return (
            "content/ is as it was: it holds files and is no clone of CONTENT_GIT. Move them away."
        )
    environment = {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https:ssh",
    }
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"content/ is as it was: {type(error).__name__}."
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["git failed"]
        return f"content/ is as it was: {lines[-1]}"
    return "content/ is up to date."
