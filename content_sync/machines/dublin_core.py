"""A publication in Dublin Core, as OAI-PMH wants it (oai_dc)."""

from __future__ import annotations

from collections.abc import Iterator

from content_sync.machines.records import Record, marked_title, xml_text

_NAMESPACES = (
    'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai_dc/'
    ' http://www.openarchives.org/OAI/2.0/oai_dc.xsd"'
)


def dublin_core(record: Record) -> str:
    """Return the element `oai_dc:dc` of a record."""
    elements = "".join(
        f"<dc:{name}>{xml_text(value)}</dc:{name}>" for name, value in _fields(record)
    )
    return f"<oai_dc:dc {_NAMESPACES}>{elements}</oai_dc:dc>"


def _fields(record: Record) -> Iterator[tuple[str, object]]:
    yield "title", marked_title(record)
    for person in record.get("authors", ()):
        yield "creator", person["name"]
    for person in record.get("editors", ()):
        yield "contributor", person["name"]
    for topic in record.get("topics", ()):
        yield "subject", topic
    if record["status"] != "current":
        reason = record.get("status_reason", "")
        yield "description", f"{record['status'].capitalize()}{': ' + reason if reason else '.'}"
    if "abstract" in record:
        yield "description", record["abstract"]
    if "publisher" in record:
        yield "publisher", record["publisher"]
    if "date" in record:
        yield "date", record["date"]
    yield "type", record["kind"]
    yield "identifier", record["url"]
    if "doi" in record:
        yield "identifier", f"https://doi.org/{record['doi']}"
    if "full_text" in record:
        yield "relation", record["full_text"]
    where = record.get("published_in") or record.get("venue")
    if where:
        yield "source", where
    if "language" in record:
        yield "language", record["language"]
    if "licence" in record:
        yield "rights", record["licence"]
