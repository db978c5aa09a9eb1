"""What students agree to, each version with its date; a version is never edited again."""

from __future__ import annotations

CURRENT = "2026-11"
"""The version that is asked for today."""

CONSENTS = {
    "2026-11": (
        "I agree that the member companies that I choose below may read my CV and what I enter"
        " on this page, my name and address for mail included, together with my publications"
        " and projects on this site, to offer me work or an internship. They read it on this"
        " site only after signing in, and they may download it. I can see which company opened"
        " it and when, leave out companies, replace or withdraw it at any time. What a company"
        " has downloaded before is beyond reach of this site. After one year everything is"
        " deleted unless I renew it."
    ),
}
