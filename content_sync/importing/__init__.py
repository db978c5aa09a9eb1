"""Publications out of files: BibTeX, CSL-JSON, CSV and NDJSON into the site's own source."""
