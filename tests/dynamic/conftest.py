"""A service of its own for each test: the real app with a real database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade

from dynamic.app import create_app
from dynamic.database import db
from dynamic.settings import ServiceSettings
from tests.dynamic.apache_says import SECRET


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    (tmp_path / "var").mkdir()
    return ServiceSettings(
        site=tmp_path,
        proxy_secret=SECRET,
        secret_key="k" * 48,
        sitename="Ellmark Consortium",
        siteurl="https://publications.example",
        timezone="Europe/Berlin",
    )


@pytest.fixture
def app(settings: ServiceSettings) -> Iterator[Flask]:
    app = create_app(settings)
    with app.app_context():
        upgrade(revision="heads")
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
