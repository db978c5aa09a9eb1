"""The member companies that read CVs: from the records, and from the settings."""

from __future__ import annotations

from flask import current_app

from dynamic.site import current_site


def companies() -> dict[str, str]:
    """Return slug → name of all member companies, in the order of their names.

    The slug is what the claim `company` of a company's people says and what the folder of
    its CV book is called. It is the slug of the institution's page, unless CV_COMPANIES
    names another claim for the institution, or a company that the records do not know.
    """
    settings = current_app.config["SETTINGS"]
    known = {one["id"]: one for one in current_site().companies}
    renamed = {target for target in settings.cv_companies.values() if target in known}
    found = {one["slug"]: one["name"] for id_, one in known.items() if id_ not in renamed}
    for claim, target in settings.cv_companies.items():
        found[claim] = known[target]["name"] if target in known else target
    return dict(sorted(found.items(), key=lambda item: (item[1].casefold(), item[0])))


def name_of(slug: str) -> str:
    """Return a company's name; one that is no longer a member keeps its slug."""
    return companies().get(slug, slug)
