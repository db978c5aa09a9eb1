"""Kill -9 while members send and mails go out. The long form is the soak service_kills."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dynamic.campaigns import kill_while_posting


@pytest.mark.usefixtures("release")
def test_nothing_acknowledged_is_lost_when_the_service_is_killed(
    site_folder: Path, environment: dict[str, str]
) -> None:
    figures = kill_while_posting(site_folder, environment, kills=3)
    assert figures["acknowledged"] > 5
