"""A browser's way through it: a student sends a CV, a company reads it, the student sees that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.orm import close_all_sessions

from dynamic.cv.receipts import read_receipts
from tests.dynamic.apache_says import SECRET
from tests.dynamic.cv import files
from tests.dynamic.cv.front import Front
from tests.dynamic.cv.nights import Night, make_site
from tests.one_playwright import one_playwright

pytestmark = [
    pytest.mark.needs("chromium"),
    pytest.mark.parametrize("release", [None], indirect=True),
]


@pytest.fixture
def release(request: pytest.FixtureRequest) -> None:
    """The live release is a real one here."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_site(tmp_path_factory.mktemp("built") / "site")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with one_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=which("chromium") or which("google-chrome"), args=["--no-sandbox"]
        )
        yield browser
        browser.close()


@pytest.fixture
def night(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Night]:
    monkeypatch.setenv("NIGHTPRESS_PROXY_SECRET", SECRET)
    night = Night(built, tmp_path / "site")
    yield night
    night.close()


@pytest.fixture
def front(night: Night) -> Iterator[Front]:
    from dynamic.app import create_app
    from dynamic.database import db
    from dynamic.settings import read_service_settings

    app = create_app(read_service_settings(night.site))
    with Front(app, night.site) as front:
        yield front
    with app.app_context():
        close_all_sessions()
        db.engine.dispose()


def _axe_finds_nothing(page: Page) -> None:
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert not found, [(v["id"], v["nodes"][0]["target"]) for v in found]


def _fill(page: Page) -> None:
    page.get_by_label("Degree").select_option("Master")
    page.get_by_label("Field of study").fill("Physics")
    page.get_by_label("Month of graduation").fill("2027-09")
    page.get_by_label("Topics").fill("Metrology, Chip cooling")
    page.get_by_label("Internship").check()
    page.get_by_label("All member companies").check()
    page.get_by_label("I agree").check()


def _choose(page: Page, name: str, content: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/pdf", "buffer": content}
    )


@pytest.mark.parametrize(
    ("width", "colours", "javascript"), [(1280, "light", True), (390, "dark", False)]
)
def test_from_the_first_upload_to_the_withdrawal(
    chromium: Browser, night: Night, front: Front, width: int, colours: str, javascript: bool
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=colours,
        base_url=front.url,
        java_script_enabled=javascript,
    )
    context.set_default_timeout(20_000)
    page = context.new_page()

    def check() -> None:
        if javascript:
            _axe_finds_nothing(page)

    # A student sends a scan with a mistake, then a good file.
    front.sign_in("s-1", "student", name="Jane Doe", email="jane@uni.example")
    page.goto("/services/")
    page.get_by_role("link", name="Your CV").click()
    page.get_by_role("link", name="Send your CV").click()
    check()
    _fill(page)
    _choose(page, "cv.pdf", files.pdf(encryption=_password()))
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("One answer needs another look")
    expect(page.locator("#file-error")).to_contain_text("Save it without protection")
    expect(page.get_by_label("Topics")).to_have_value("Metrology, Chip cooling")
    check()
    _choose(page, "cv.pdf", files.pdf())
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_contain_text("Your CV has arrived")
    page.get_by_text("The text that a program reads in it").click()
    expect(page.locator("pre")).to_contain_text(files.TEXT)
    expect(page.get_by_text("Nobody yet.")).to_be_visible()
    check()

    # The night, then a company reads.
    night.write()
    company = "kirimoto-precision"
    front.sign_in("m-1", "member", company=company)
    page.goto(f"/cvs/{company}/")
    check()
    if javascript:
        page.get_by_label("Topic").select_option("Metrology")
        expect(page).to_have_url(re.compile(r"\?topic=metrology$"))
        expect(page.get_by_role("status")).to_contain_text("1 CV")
        page.go_back()
        expect(page.get_by_label("Topic")).to_have_value("")
    else:
        page.get_by_role("link", name="Metrology").click()
    page.get_by_role("link", name="Jane Doe").click()
    expect(page.get_by_role("heading", name="Jane Doe")).to_be_visible()
    check()
    with page.expect_download() as download:
        page.get_by_role("link", name="PDF", exact=True).click()
    assert download.value.suggested_filename == "jane-doe-cv.pdf"
    assert Path(download.value.path()).read_bytes() == files.pdf()
    assert page.goto("/cvs/nordvik-microsystems/").status == 403  # type: ignore[union-attr]

    # The student sees who it was, replaces the file and withdraws.
    with night.app.app_context():
        assert read_receipts() == 2
    front.sign_in("s-1", "student", name="Jane Doe", email="jane@uni.example")
    page.goto("/services/cv/")
    expect(page.get_by_role("row", name=re.compile("Kirimoto Precision.*the file"))).to_be_visible()
    page.get_by_role("link", name="Change or replace").click()
    check()
    _choose(page, "new.pdf", files.pdf("A text that is newer than the one before"))
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("The new file has arrived")
    page.get_by_role("link", name="Withdraw").click()
    check()
    page.get_by_role("button", name="Withdraw my CV").click()
    expect(page.get_by_role("status")).to_contain_text("is withdrawn")
    assert night.holds("Jane Doe") == []
    front.sign_in("m-1", "member", company=company)
    page.goto(f"/cvs/{company}/")
    expect(page.get_by_text("Jane Doe")).to_have_count(0)
    context.close()


def _password():
    import pikepdf

    return pikepdf.Encryption(user="u", owner="o")
