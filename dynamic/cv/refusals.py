"""Why a file is not taken, in words that say what to do."""

from __future__ import annotations

LARGEST = 10 * 1024 * 1024
"""Bytes of the largest CV."""
LONGEST = 50
"""Pages of the longest CV."""


class Refused(Exception):
    """The file cannot be taken; `code` names the reason, `words` say what to do."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    @property
    def words(self) -> str:
        """One or two sentences for the person who chose the file."""
        return REFUSALS[self.code]


_AGAIN = "Save it anew as PDF from the program in which you wrote it, and choose it again."

REFUSALS = {
    "missing": "Choose your CV as a PDF or DOCX file.",
    "empty": "The file is empty. Choose the file with your CV.",
    "too-large": (
        "The file is larger than 10 MB. Make its pictures smaller, or save it in the size for"
        " the web, and choose it again."
    ),
    "type": (
        "The file is neither PDF nor DOCX, whatever its name says. Save your CV as PDF or DOCX"
        " and choose that file."
    ),
    "old-word": (
        "The file is an older Word document, or one with a password. Save it as PDF without a"
        " password and choose that file."
    ),
    "password": (
        "The PDF is protected: it has a password or forbids printing or copying. Save it without"
        " protection and choose it again."
    ),
    "damaged": f"The file is damaged or incomplete, so it may not open for others. {_AGAIN}",
    "script": f"The file holds a program (JavaScript). {_AGAIN}",
    "action": (
        "The file does something by itself when it is opened or clicked, beside following web"
        f" links. {_AGAIN}"
    ),
    "attachment": (
        "The file has another file attached to it or embedded in it. Take that out, or print the"
        " CV to PDF, and choose it again."
    ),
    "link": (
        "The file holds a link that is neither a web address nor an address for mail. Take that"
        " link out and choose the file again."
    ),
    "macro": "The document holds macros. Save it as PDF, or as DOCX without macros.",
    "external": (
        "The document loads something from elsewhere (a template, a picture, an object). Put it"
        " into the document itself or save the CV as PDF."
    ),
    "external-pdf": f"The file takes a part of itself from another file. {_AGAIN}",
    "bomb": f"The file unpacks to far more than a CV needs. {_AGAIN}",
    "too-long": f"The file has more than {LONGEST} pages. Shorten it to what an employer reads.",
    "no-pages": f"The file has no pages. {_AGAIN}",
    "too-complex": f"Reading the file takes too long or too much memory. {_AGAIN}",
    "infected": (
        "The virus scanner found something in this file. Check your computer, save the CV anew"
        " as PDF and choose that file."
    ),
}

WARNINGS = {
    "no-text": (
        "There is no text in the file, only pictures: whoever searches or copies finds nothing,"
        " and a screen reader has nothing to read. Better save it as PDF from the program in"
        " which you wrote it, and replace it."
    ),
    "cut": "The file holds more text than is kept beside it; the file itself is complete.",
}
