"""What every page may show beside its record: settings, navigation, the names of assets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from content_sync import __version__
from content_sync.pages.assets import read_assets
from content_sync.settings import Settings

SITE_CSS = "css/site.css"
LOGOS = ("images/logo.svg", "images/logo.png", "images/logo.webp")
"""What a site may add below its own theme/static/: colours, and the logo in its header."""


def shown_by_every_page(
    settings: Settings,
    pelican_settings: dict[str, Any],
    *,
    theme: Path,
    navigation: Any,
    footer: list[dict[str, str]],
    is_demo: bool,
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Return the values by name, and the assets that pages name: their content by hashed name."""
    client = Path(__file__).resolve().parent.parent.parent / "search" / "client"
    own = settings.site / "theme" / "static"
    kept = settings.var / "templates" / "minified.json"
    assets, contents = read_assets(theme / "static", client, own, kept)
    values = {
        **plain_settings(pelican_settings),
        "nav": navigation,
        "is_demo": is_demo,
        "footer_links": footer,
        "assets": assets,
        "site_css": SITE_CSS in assets,
        "site_logo": next((name for name in LOGOS if name in assets), ""),
        "generator": f"Nightpress {__version__}",
        "sign_in_url": settings.sign_in_url,
    }
    return values, contents


def footer_links(context: dict[str, Any]) -> list[dict[str, str]]:
    """Return the links below every page: news, search and the pages of prose."""
    links = [("News", "/news/")] if context.get("articles") else []
    links += [(str(page.title), f"/{page.url}") for page in context.get("pages", ())]
    links += [("What changed", "/changes/"), ("Data", "/data/")]
    return [{"title": title, "url": url} for title, url in [*links, ("Search", "/search/")]]


_OWN_BUSINESS = ("PATH", "THEME", "PLUGINS", "NIGHTPRESS", "CACHE", "LOG", "PORT", "BIND")


def plain_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that templates can show: plain values that name no folder."""
    return {
        name: value
        for name, value in settings.items()
        if name.isupper() and not any(part in name for part in _OWN_BUSINESS) and _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return value is None or isinstance(value, str | int | float | bool)
