"""The CV book: what the service exports of students' CVs, as folders for member companies.

One folder for each company under `var/cvbook/`, with exactly the CVs that it may see, pages
and files alike. It lies outside every release: nothing of it is in output/, in a mirror or
in an edition, and no rollback brings one back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from content_sync.settings import Settings


def has_cvs(settings: Settings) -> bool:
    """Tell whether this site has to do with CVs at all."""
    from content_sync.cvbook.exported import FILE
    from content_sync.cvbook.gate import MARK

    signs = [settings.var / FILE, settings.var / "service-export.wanted"]
    return any(file.exists() for file in (*signs, *(book / MARK for book in settings.cv_books)))
