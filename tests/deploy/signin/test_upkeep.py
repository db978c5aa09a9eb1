"""The provider on PostgreSQL, and what it forgets by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, text

from tests.deploy.signin.reader import Reader
from tests.deploy.signin.stack import Stack, stack
from tests.deploy.signin.test_provider import confirm, groups_of, register
from tests.postgresql import postgresql_server

pytestmark = pytest.mark.needs("apache", "postgresql")


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgresql_server() as url:
        yield url


@pytest.fixture(scope="module")
def site(database: str) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch, stack() as running:
        patch.setenv("NIGHTPRESS_SIGNIN_DATABASE", database.replace("+psycopg", ""))
        running.nightpress("signin", "demo")
        running.start_provider()
        running.start_apache()
        yield running


def test_people_sign_in_and_register_with_their_accounts_on_postgresql(site: Stack) -> None:
    assert not (site.site / "var" / "signin" / "signin.sqlite").exists()
    password = (site.site / "var" / "secrets" / "demo-password").read_text()
    member = Reader(site)
    member.sign_in("member@demo.example", password)
    told = member.fetch("/services/echo").json()
    assert (told["HTTP_X_REMOTE_GROUPS"], told["HTTP_X_REMOTE_COMPANY"]) == (
        "member",
        "acme-circuits",
    )
    reader, page = register(site, "Nia@Uni.example")
    confirm(site, reader, page, "nia@uni.example")
    assert groups_of(site, "nia@uni.example")["groups"] == ["student"]
    site.nightpress("signin", "admit", "uni.example", "--group", "researcher")
    assert groups_of(site, "nia@uni.example")["groups"] == ["researcher"]


def test_accounts_that_nobody_confirmed_go_after_a_week(site: Stack, database: str) -> None:
    for address in ("late@uni.example", "new@uni.example"):
        register(site, address)
    reader, page = register(site, "sure@uni.example")
    confirm(site, reader, page, "sure@uni.example")
    site.nightpress("signin", "invite", "guest@acme.example", "--group", "member")
    engine = create_engine(database)
    with engine.begin() as connection:
        (table,) = connection.execute(
            text(
                "SELECT table_name FROM information_schema.columns WHERE column_name='date_joined'"
            )
        ).one()
        for address in ("late", "sure"):
            connection.execute(
                text(
                    f"UPDATE {table} SET date_joined = date_joined - interval '8 days'"
                    " WHERE email = :email"
                ),
                {"email": f"{address}@uni.example"},
            )
    engine.dispose()
    assert "1 deleted" in site.nightpress("signin", "purge").splitlines()[0]
    left = {
        json.loads(line)["email"]
        for line in site.nightpress("signin", "people", "--json", "uni.example").splitlines()
    }
    assert {"new@uni.example", "sure@uni.example"} <= left
    assert "late@uni.example" not in left
    assert "0 deleted" in site.nightpress("signin", "purge").splitlines()[0]
    # The address is free again.
    reader, page = register(site, "late@uni.example")
    confirm(site, reader, page, "late@uni.example")
    assert groups_of(site, "late@uni.example")["email"] == "late@uni.example"
