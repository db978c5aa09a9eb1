"""OAI-PMH 2.0 as files, from which Apache alone answers harvesters.

A page holds up to a hundred records of one day and one kind, in the order of the days; each
names the page after it. What depends on the request (until when, which set, headers only or
records, the time of the release) is filled in by Apache's server-side includes from arguments
that deploy/apache/oai.conf has checked. docs/oai.md tells what is promised, and
docs/decisions/2026-11-24-oai-as-files.md why it is done so.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from functools import cached_property
from urllib.parse import urlsplit

from content_sync.errors import ConfigurationError
from content_sync.machines.catalogue import Catalogue, Stamp
from content_sync.machines.dublin_core import dublin_core
from content_sync.machines.files import Files
from content_sync.machines.records import Record, read_records, xml_text
from content_sync.pages.reader import Reader
from content_sync.records import Kind
from content_sync.urls import slug

FOLDER = "oai"
_ALL = "all"

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/'
    ' http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd">\n'
    '<responseDate><!--#echo encoding="none" var="OAI_DATE" -->Z</responseDate>\n'
)
_TAIL = "\n</OAI-PMH>\n"
_ECHOED = (
    ("identifier", "OAI_IDENTIFIER"),
    ("metadataPrefix", "OAI_PREFIX"),
    ("from", "OAI_FROM"),
    ("until", "OAI_UNTIL"),
    ("set", "OAI_SET"),
    ("resumptionToken", "OAI_TOKEN"),
)
_IS_RECORDS = "v('OAI_VERB') == 'ListRecords'"
_RECORD = f'<!--#if expr="{_IS_RECORDS}" --><record><!--#endif -->'
_RECORD_END = "</record><!--#endif -->"
_IS_IDENTIFIER = " expr=\"v('OAI_IDENTIFIER') == "
_CASE = re.compile(f"<!--#(?:el)?if{re.escape(_IS_IDENTIFIER)}")
_UNKNOWN = '<!--#else --><error code="idDoesNotExist">There is no such record here.</error>'


def set_of(kind: str) -> str:
    """Return the setSpec of a kind of work."""
    return re.sub("[^a-z]+", "-", kind.lower()).strip("-")


def page_name(day: str, kind: str, page: int) -> str:
    """Return a page's name, which is the greater part of a resumption token."""
    return f"{day}.{set_of(kind)}.{page:05d}"


def bucket_digits(records: int) -> int:
    """Return how many digits of an identifier's SHA-1 name the file that holds it."""
    return 1 if records <= 500 else 2 if records <= 8000 else 3


def bucket_of(record_id: str, digits: int) -> str:
    """Return the name of the file that answers for one record."""
    return hashlib.sha1(slug(record_id).encode(), usedforsecurity=False).hexdigest()[:digits]


def in_buckets(stamps: Collection[Stamp]) -> dict[str, list[Stamp]]:
    """Return the records of each such file."""
    digits = bucket_digits(len(stamps))
    buckets: dict[str, list[Stamp]] = defaultdict(list)
    for stamp in stamps:
        buckets[bucket_of(stamp.id, digits)].append(stamp)
    return buckets


def host_of(siteurl: str) -> str:
    """Return the name that stands in identifiers. Raises ConfigurationError if it cannot."""
    host = (urlsplit(siteurl).hostname or "").lower()
    if not re.fullmatch(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?", host):
        raise ConfigurationError(f"SITEURL has no host name that OAI-PMH can use: {siteurl}.")
    return host


_Place = tuple[str, str, int]
"""Day, kind and number of a page."""


class Pages:
    """The records of each page, and which page comes after it."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.records: dict[_Place, list[Stamp]] = defaultdict(list)
        for stamp in catalogue.stamps.values():
            self.records[stamp.day, stamp.kind, stamp.page].append(stamp)
        self.order = sorted(self.records)
        self.after = dict(zip(self.order, self.order[1:], strict=False))
        self.after_of_kind: dict[_Place, _Place] = {}
        last: dict[str, _Place] = {}
        for name in self.order:
            if name[1] in last:
                self.after_of_kind[last[name[1]]] = name
            last[name[1]] = name

    def nexts(self, place: _Place) -> tuple[_Place | None, _Place | None]:
        """Return the page after a page: of all records, and of those of its kind."""
        return self.after.get(place), self.after_of_kind.get(place)

    def made_of(self, base: str, place: _Place) -> list[object]:
        """Return all that a page is made of."""
        stamps = self.records.get(place, ())
        return [base, self.nexts(place), *(part for s in stamps for part in (s.id, s.digest))]

    def first_from(self) -> Iterator[tuple[str, str]]:
        """Yield, for each set and day, the first page from that day on."""
        if not self.order:
            return
        yield "earliest", self.order[0][0]
        end = date.fromisoformat(self.order[-1][0])
        for wanted in (None, *sorted({kind for _, kind, _ in self.order})):
            names = [n for n in self.order if wanted in (None, n[1])]
            name = set_of(wanted) if wanted else _ALL
            yield f"{name}:start", page_name(*names[0])
            day = date.fromisoformat(self.order[0][0])
            place = 0
            while day <= end:
                while place < len(names) and names[place][0] < day.isoformat():
                    place += 1
                if place == len(names):
                    break
                yield f"{name}:{day.isoformat()}", page_name(*names[place])
                day += timedelta(days=1)


def write_oai(
    files: Files, reader: Reader, catalogue: Catalogue, *, siteurl: str, sitename: str, mail: str
) -> None:
    """Write the files that answer harvesters, those that changed."""
    host = host_of(siteurl)
    pages = Pages(catalogue)
    base = f"{siteurl}/oai"
    earliest = pages.order[0][0] if pages.order else "1970-01-01"
    kinds = sorted({stamp.kind for stamp in catalogue.stamps.values()} | {str(k) for k in Kind})
    identify = _identify(sitename, base, earliest, mail, host)
    fixed = {
        "Identify": identify,
        "ListMetadataFormats": _formats(),
        "ListSets": _sets(kinds),
        "error": '<error code="<!--#echo encoding="none" var="OAI_ERROR" -->">'
        '<!--#echo encoding="none" var="OAI_SAYS" --></error>',
    }
    for name, body in fixed.items():
        text = _document(base, body, bare=name == "error")
        files.put(f"{FOLDER}/{name}.xml", [text], text.encode)
    was = _AsItWas(files, base, catalogue)
    for place in pages.order:
        files.put(
            f"{FOLDER}/pages/{page_name(*place)}.xml",
            pages.made_of(base, place),
            lambda place=place: _page(  # type: ignore[misc]
                reader, base, host, pages.records[place], pages.nexts(place), was.page(place)
            ),
        )
    lines = "".join(f"{key} {value}\n" for key, value in pages.first_from())
    files.put("maps/oai.txt", [lines], lines.encode)
    for bucket, stamps in sorted(in_buckets(catalogue.stamps.values()).items()):
        files.put(
            f"{FOLDER}/records/{bucket}.xml",
            _bucket_made_of(base, stamps),
            lambda bucket=bucket, stamps=stamps: _bucket(  # type: ignore[misc]
                reader, base, host, stamps, was.bucket(bucket)
            ),
        )


class _AsItWas:
    """What the last release's files say of each record, to be said again where nothing changed."""

    def __init__(self, files: Files, base: str, catalogue: Catalogue) -> None:
        self._files = files
        self._base = base
        self._catalogue = catalogue

    def page(self, place: _Place) -> dict[Stamp, str]:
        """Return what a page says of its records."""
        path = f"{FOLDER}/pages/{page_name(*place)}.xml"
        content = self._files.before(path, self._pages.made_of(self._base, place))
        if content is None:
            return {}
        _, *texts = content.decode().split(_RECORD)
        said = (_RECORD + text[: text.rindex(_RECORD_END)] + _RECORD_END for text in texts)
        return dict(zip(self._pages.records[place], said, strict=True))

    def bucket(self, bucket: str) -> dict[Stamp, str]:
        """Return what the file that answers for some records says of each."""
        stamps = self._buckets.get(bucket, [])
        path = f"{FOLDER}/records/{bucket}.xml"
        content = self._files.before(path, _bucket_made_of(self._base, stamps))
        if content is None:
            return {}
        cases = content.decode().rpartition(_UNKNOWN)[0]
        return dict(zip(stamps, re.split(_CASE, cases)[1:], strict=True))

    @cached_property
    def _pages(self) -> Pages:
        return Pages(self._catalogue.as_it_was())

    @cached_property
    def _buckets(self) -> dict[str, list[Stamp]]:
        return in_buckets(self._catalogue.as_it_was().stamps.values())


def _bucket_made_of(base: str, stamps: list[Stamp]) -> list[object]:
    return [base, *(part for s in stamps for part in (s.id, s.day, s.kind, s.digest))]


def _document(base: str, body: str, *, bare: bool = False) -> str:
    arguments = ' verb="<!--#echo encoding="none" var="OAI_VERB" -->"' + "".join(
        f'<!--#if expr="-n v(\'{var}\')" --> {name}="<!--#echo encoding="none" var="{var}" -->"'
        "<!--#endif -->"
        for name, var in _ECHOED
    )
    return f"{_HEAD}<request{'' if bare else arguments}>{xml_text(base)}</request>\n{body}{_TAIL}"


def _page(
    reader: Reader,
    base: str,
    host: str,
    stamps: list[Stamp],
    nexts: tuple[_Place | None, _Place | None],
    held: dict[Stamp, str],
) -> bytes:
    records = _records_of(reader, stamps, held)
    verb = '<!--#echo encoding="none" var="OAI_VERB" -->'
    body = "\n".join(
        held.get(s)
        or f'{_RECORD}{_header(s, host)}<!--#if expr="{_IS_RECORDS}" -->{_metadata(s, records)}'
        + _RECORD_END
        for s in stamps
    )
    whole, of_kind = nexts
    token = (
        f"<!--#if expr=\"v('OAI_CHAIN') == '{_ALL}'\" -->{_token(whole)}"
        f"<!--#else -->{_token(of_kind)}<!--#endif -->"
    )
    return _document(base, f"<{verb}>\n{body}\n{token}</{verb}>").encode()


def _records_of(reader: Reader, stamps: list[Stamp], held: dict[Stamp, str]) -> dict[str, Record]:
    return read_records(reader, [s.id for s in stamps if not s.deleted and s not in held])


def _token(following: _Place | None) -> str:
    # An empty element ends a list that came in pieces; a list of one piece has none.
    end = "<!--#if expr=\"-n v('OAI_TOKEN')\" --><resumptionToken/><!--#endif -->"
    if following is None:
        return end
    return (
        f"<!--#if expr=\"v('OAI_LAST') >= '{following[0]}'\" --><resumptionToken>"
        f'{page_name(*following)}.<!--#echo encoding="none" var="OAI_LAST" -->'
        '.<!--#echo encoding="none" var="OAI_CHAIN" --></resumptionToken>'
        f"<!--#else -->{end}<!--#endif -->"
    )


def _bucket(
    reader: Reader, base: str, host: str, stamps: list[Stamp], held: dict[Stamp, str]
) -> bytes:
    records = _records_of(reader, stamps, held)
    cases = "".join(
        f"<!--#{'elif' if place else 'if'}{_IS_IDENTIFIER}"
        + (held.get(s) or _case(s, host, records))
        for place, s in enumerate(stamps)
    )
    return _document(base, f"{cases}{_UNKNOWN}<!--#endif -->").encode()


def _case(stamp: Stamp, host: str, records: dict[str, Record]) -> str:
    return (
        f"'oai:{host}:{slug(stamp.id)}'\" -->"
        f"<!--#if expr=\"v('OAI_VERB') == 'GetRecord'\" --><GetRecord><record>"
        f"{_header(stamp, host)}{_metadata(stamp, records)}</record></GetRecord>"
        f"<!--#else -->{_formats()}<!--#endif -->\n"
    )


def _header(stamp: Stamp, host: str) -> str:
    status = ' status="deleted"' if stamp.deleted else ""
    return (
        f"<header{status}><identifier>oai:{host}:{slug(stamp.id)}</identifier>"
        f"<datestamp>{stamp.day}</datestamp><setSpec>{set_of(stamp.kind)}</setSpec></header>"
    )


def _metadata(stamp: Stamp, records: dict[str, Record]) -> str:
    return "" if stamp.deleted else f"<metadata>{dublin_core(records[stamp.id])}</metadata>"


def _formats() -> str:
    return (
        "<ListMetadataFormats><metadataFormat><metadataPrefix>oai_dc</metadataPrefix>"
        "<schema>http://www.openarchives.org/OAI/2.0/oai_dc.xsd</schema>"
        "<metadataNamespace>http://www.openarchives.org/OAI/2.0/oai_dc/</metadataNamespace>"
        "</metadataFormat></ListMetadataFormats>"
    )


def _sets(kinds: list[str]) -> str:
    sets = "".join(
        f"<set><setSpec>{set_of(kind)}</setSpec>"
        f"<setName>{xml_text(kind.capitalize())}</setName></set>"
        for kind in kinds
    )
    return f"<ListSets>{sets}</ListSets>"


def _identify(sitename: str, base: str, earliest: str, mail: str, host: str) -> str:
    return (
        f"<Identify><repositoryName>{xml_text(sitename)}</repositoryName>"
        f"<baseURL>{xml_text(base)}</baseURL><protocolVersion>2.0</protocolVersion>"
        f"<adminEmail>{xml_text(mail or f'postmaster@{host}')}</adminEmail>"
        f"<earliestDatestamp>{earliest}</earliestDatestamp>"
        "<deletedRecord>persistent</deletedRecord><granularity>YYYY-MM-DD</granularity>"
        '<description><oai-identifier xmlns="http://www.openarchives.org/OAI/2.0/oai-identifier"'
        ' xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai-identifier'
        ' http://www.openarchives.org/OAI/2.0/oai-identifier.xsd">'
        f"<scheme>oai</scheme><repositoryIdentifier>{host}</repositoryIdentifier>"
        f"<delimiter>:</delimiter><sampleIdentifier>oai:{host}:2024.example-1</sampleIdentifier>"
        "</oai-identifier></description>"
        '<description><dc xmlns="http://purl.org/dc/elements/1.1/"'
        f' xmlns:x="https://nightpress.example/profile"><x:profile>{_PROFILE}</x:profile></dc>'
        "</description></Identify>"
    )


_PROFILE = (
    "Answered from files. Deviations from OAI-PMH 2.0: requests by GET only; responseDate is"
    " the time of the release that answers, which is the right 'from' of the next harvest."
)
