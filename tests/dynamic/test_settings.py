"""What the service makes of its settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dynamic.errors import ServiceConfigurationError
from dynamic.settings import read_service_settings
from tests.dynamic.apache_says import SECRET

ENVIRONMENT = {"NIGHTPRESS_PROXY_SECRET": SECRET}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('SERVICE_HOST = "0.0.0.0"', "Apache is the only door"),
        ('SERVICE_HOST = "192.0.2.1"', "Apache is the only door"),
        ("SERVICE_PORT = 0", "SERVICE_PORT must be a port"),
        ('SERVICE_PORT = "80"', "SERVICE_PORT must be a whole number"),
        ("SERVICE_THREADS = True", "SERVICE_THREADS must be a whole number"),
        ('SERVICE_LIMITS = "redis://x"', "SERVICE_LIMITS must be"),
        ('TIMEZONE = "Mars/Olympus"', "TIMEZONE must be an IANA name"),
        ('MAIL_SECURITY = "ssl"', "MAIL_SECURITY must be"),
        ('MAIL_SERVER = "host:mail"', "MAIL_SERVER must be"),
        ('MAIL_USER = "u"; MAIL_SECURITY = "none"', "a password travels encrypted"),
        ('MAIL_FROM = "office"', "MAIL_FROM must be an address"),
        ('STAFF_MAILBOXES = {"": "a@b.example, c@d.example"}', "STAFF_MAILBOXES"),
        ('STAFF_MAILBOXES = "a@b.example"', "STAFF_MAILBOXES must be a dictionary"),
        ('FEEDBACK_GROUPS = ["everyone"]', "FEEDBACK_GROUPS must name some of"),
        ("FEEDBACK_GROUPS = []", "FEEDBACK_GROUPS must name some of"),
        ("FEEDBACK_KEPT_DAYS = 0", "FEEDBACK_KEPT_DAYS must be 1 or more"),
    ],
)
def test_a_setting_that_cannot_be_used_is_told(tmp_path: Path, line: str, words: str) -> None:
    (tmp_path / "pelicanconf.py").write_text(line)
    with pytest.raises(ServiceConfigurationError, match=words):
        read_service_settings(tmp_path, ENVIRONMENT)


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "pelicanconf.py").write_text('SERVICE_PORT = 0\nTIMEZONE = "x"')
    with pytest.raises(ServiceConfigurationError, match=r"SERVICE_PORT.*TIMEZONE"):
        read_service_settings(tmp_path, ENVIRONMENT)


@pytest.mark.parametrize("secret", ["", "short", "ü" * 40])
def test_the_service_does_not_answer_without_the_secret_that_apache_knows(
    tmp_path: Path, secret: str
) -> None:
    (tmp_path / "pelicanconf.py").write_text("")
    with pytest.raises(ServiceConfigurationError, match="NIGHTPRESS_PROXY_SECRET"):
        read_service_settings(tmp_path, {"NIGHTPRESS_PROXY_SECRET": secret})


def test_work_beside_the_requests_needs_no_secret(tmp_path: Path) -> None:
    (tmp_path / "pelicanconf.py").write_text("")
    settings = read_service_settings(tmp_path, {}, answers=False)
    assert len(settings.secret_key) >= 32
    key = tmp_path / "var" / "secrets" / "service-key"
    assert key.stat().st_mode & 0o77 == 0
    assert read_service_settings(tmp_path, {}, answers=False).secret_key == settings.secret_key


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "pelicanconf.py").write_text("")
    environment = ENVIRONMENT | {
        "NIGHTPRESS_SERVICE_DATABASE": "postgresql://u:hidden@h/d",
        "NIGHTPRESS_SMTP_PASSWORD": "hidden",
    }
    shown = repr(read_service_settings(tmp_path, environment))
    assert "hidden" not in shown
    assert SECRET not in shown
