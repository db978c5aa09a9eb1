"""A service of its own for each test: the real app with a real database.

`app` (and so `client`, `settings`) exists once for each kind of database: SQLite, PostgreSQL
and, where NIGHTPRESS_TEST_SQLSERVER names one, SQL Server. A test that has nothing to do with
the database asks for SQLite alone:

    @pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

`release` is the live release that the service reads; `service` is the service as a process
of its own, served by Waitress on a port of the loopback address.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import close_all_sessions

from dynamic.app import create_app
from dynamic.database import db
from dynamic.settings import ServiceSettings, read_service_settings
from tests.dynamic.apache_says import SECRET
from tests.dynamic.databases import KINDS, Databases
from tests.dynamic.process import Service
from tests.dynamic.releases import Releases

CONF = """
SITENAME = "Ellmark Consortium"
SITEURL = "https://publications.example"
TIMEZONE = "Europe/Berlin"
STAFF_MAILBOXES = {"": "office@example.org", "event": "events@example.org"}
"""


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    databases = Databases(tmp_path_factory.mktemp("databases"))
    yield databases
    databases.close()


@pytest.fixture(params=KINDS)
def database_url(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[str]:
    """The URL of a database with the service's tables, empty, of each kind."""
    with databases.one(request.param, tmp_path) as url:
        yield url


@pytest.fixture
def environment(database_url: str) -> dict[str, str]:
    """What the service finds in its environment."""
    return {
        "NIGHTPRESS_PROXY_SECRET": SECRET,
        "NIGHTPRESS_SECRET_KEY": "k" * 48,
        "NIGHTPRESS_SERVICE_DATABASE": database_url,
    }


@pytest.fixture
def site_folder(tmp_path: Path) -> Path:
    """A site's folder; a test may add lines to its pelicanconf.py before it asks for `app`."""
    folder = tmp_path / "site"
    (folder / "var").mkdir(parents=True)
    (folder / "pelicanconf.py").write_text(CONF)
    return folder


@pytest.fixture
def settings(site_folder: Path, environment: dict[str, str]) -> ServiceSettings:
    return read_service_settings(site_folder, environment)


@pytest.fixture
def app(settings: ServiceSettings) -> Iterator[Flask]:
    app = create_app(settings)
    app.testing = False  # errors are shown as a reader would see them
    yield app
    with app.app_context():
        close_all_sessions()  # those of threads that a test started, too
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Speaks to the app; each request needs the headers of `apache_says`."""
    return app.test_client()


@pytest.fixture
def release(site_folder: Path) -> Releases:
    """The live release: a publication, a project, events and more, changed with `publish`."""
    releases = Releases(site_folder / "output")
    releases.publish()
    return releases


@pytest.fixture
def service(site_folder: Path, environment: dict[str, str], release: Releases) -> Iterator[Service]:
    """The service as a process of its own."""
    with Service(site_folder, environment) as service:
        yield service
