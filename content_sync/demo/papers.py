"""Full texts: small PDFs of our own making, written beside the database."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from content_sync.demo.pdf import make_pdf


class Papers:
    """Writes full texts under a folder and counts them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.count = 0

    def write(
        self,
        path: str,
        *,
        title: str,
        authors: Sequence[str],
        imprint: str,
        abstract: str | None,
    ) -> None:
        """Write the PDF at `path` in the folder; a file that is the same already is left alone."""
        content = make_pdf(title=title, authors=authors, imprint=imprint, abstract=abstract)
        file = self._folder / path
        self.count += 1
        if file.is_file() and file.read_bytes() == content:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
