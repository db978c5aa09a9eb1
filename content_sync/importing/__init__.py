"""Publications out of files: BibTeX, CSL-JSON, CSV and NDJSON into the site's own source."""

from content_sync.importing.files import FORMATS, import_files
from content_sync.importing.store import ImportReport

__all__ = ["FORMATS", "ImportReport", "import_files"]
