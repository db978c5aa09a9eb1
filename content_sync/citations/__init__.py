"""Citations: one work, or many, as BibTeX, RIS and CSL-JSON.

`reference_of` turns the rows of a work into a `Reference`; `to_bibtex`, `to_ris` and
`to_csl` write it. `read_references` reads many from a snapshot.
"""

from content_sync.citations.bibtex import to_bibtex
from content_sync.citations.csl import csl_file, to_csl
from content_sync.citations.reference import Name, Reference
from content_sync.citations.ris import to_ris
from content_sync.citations.rows import read_references, reference_of

__all__ = [
    "Name",
    "Reference",
    "csl_file",
    "read_references",
    "reference_of",
    "to_bibtex",
    "to_csl",
    "to_ris",
]
