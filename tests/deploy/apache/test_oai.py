"""Harvesters meet the files through the real Apache: two client libraries and lxml."""

from __future__ import annotations

import contextlib
import datetime
import socket
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from lxml import etree
from oaipmh_scythe import Scythe
from sickle import Sickle
from sickle.oaiexceptions import NoRecordsMatch

from content_sync.release import history
from tests.deploy.apache.conftest import Served

OAI = "{http://www.openarchives.org/OAI/2.0/}"
DC = "{http://purl.org/dc/elements/1.1/}"
DAYS = ("2026-01-05", "2026-03-01", "2026-03-09")


@pytest.fixture(scope="module")
def harvested(
    make_served: Callable[..., contextlib.AbstractContextManager[Served]],
) -> Iterator[Served]:
    """A site whose history tells of three days; one record is deleted, many fill two pages."""
    with make_served() as served:
        with history.open_history(served.settings.history) as connection:
            rows = connection.execute("SELECT id FROM stamps WHERE NOT deleted ORDER BY id")
            for number, (one,) in enumerate(rows.fetchall()):
                connection.execute(
                    "UPDATE stamps SET day = ?, page = ? WHERE id = ?",
                    (DAYS[number % 3], 1 + number // 9, one),
                )
        served.edit(
            "UPDATE publications SET status = 'retracted', version = version + 1"
            " WHERE id = (SELECT max(id) FROM publications"
            " WHERE access = 'public' AND status = 'current' AND public_on IS NULL)"
        )
        served.night()
        yield served


@pytest.fixture(autouse=True)
def _localhost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names below localhost are this machine, also where the system does not say so."""
    look_up = socket.getaddrinfo

    def look_up_here(host: Any, *rest: Any, **more: Any) -> Any:
        is_here = isinstance(host, str) and host.endswith(".localhost")
        return look_up("127.0.0.1" if is_here else host, *rest, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up_here)


def stamps(served: Served) -> dict[str, tuple[str, str, bool]]:
    with contextlib.closing(sqlite3.connect(served.settings.history)) as connection:
        rows = connection.execute("SELECT id, day, kind, deleted FROM stamps").fetchall()
    return {one: (day, kind.replace(" ", "-"), bool(deleted)) for one, day, kind, deleted in rows}


def ask(served: Served, **arguments: str) -> etree._Element:
    answer = served.get(f"/oai?{urlencode(arguments)}")
    assert answer.status == 200
    assert answer["content-type"].startswith("text/xml")
    return etree.fromstring(answer.body)


def code(served: Served, query: str) -> str | None:
    answer = served.get(f"/oai{query}")
    assert answer.status == 200
    error = etree.fromstring(answer.body).find(f"{OAI}error")
    return None if error is None else error.get("code")


def harvest(served: Served, verb: str, **arguments: str) -> list[str]:
    """All datestamps of a list, page by page."""
    found: list[str] = []
    root = ask(served, verb=verb, metadataPrefix="oai_dc", **arguments)
    while True:
        if root.find(f"{OAI}error") is not None:
            return found
        found += [header.findtext(f"{OAI}datestamp") for header in root.iter(f"{OAI}header")]
        token = root.find(f".//{OAI}resumptionToken")
        if token is None or not token.text:
            return found
        root = ask(served, verb=verb, resumptionToken=token.text)


def sickle(served: Served) -> Sickle:
    return Sickle(f"{served.stack.url}/oai", verify=str(served.stack.authority))


def test_sickle_harvests_every_record_once(harvested: Served) -> None:
    known = stamps(harvested)
    records = list(sickle(harvested).ListRecords(metadataPrefix="oai_dc"))
    slugs = [record.header.identifier.rpartition(":")[2] for record in records]
    assert len(slugs) == len(set(slugs)) == len(known)
    assert sum(record.deleted for record in records) == sum(d for _, _, d in known.values()) > 0
    retracted = [r for r in records if not r.deleted and r.metadata["title"][0].startswith("Retr")]
    assert retracted
    assert retracted[0].header.datestamp == datetime.datetime.now(datetime.UTC).date().isoformat()


def test_sickle_knows_the_repository(harvested: Served) -> None:
    client = sickle(harvested)
    identify = client.Identify()
    assert identify.granularity == "YYYY-MM-DD"
    assert identify.deletedRecord == "persistent"
    assert identify.earliestDatestamp == DAYS[0]
    assert [f.metadataPrefix for f in client.ListMetadataFormats()] == ["oai_dc"]
    sets = {one.setSpec for one in client.ListSets()}
    assert {kind for _, kind, _ in stamps(harvested).values()} <= sets
    with pytest.raises(NoRecordsMatch):
        client.ListRecords(metadataPrefix="oai_dc", **{"from": "2999-01-01"})


def test_scythe_reads_records_one_by_one(
    harvested: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(harvested.stack.authority))
    known = stamps(harvested)
    with Scythe(f"{harvested.stack.url}/oai") as client:
        headers = list(client.list_identifiers(metadata_prefix="oai_dc"))
        assert len(headers) == len(known)
        for header in headers[:12]:
            record = client.get_record(identifier=header.identifier, metadata_prefix="oai_dc")
            assert record.header.identifier == header.identifier
            assert record.deleted == header.deleted


def test_any_pair_of_days_gives_just_the_records_between_them(harvested: Served) -> None:
    known = stamps(harvested)
    today = max(day for day, _, _ in known.values())
    kinds = sorted({kind for _, kind, _ in known.values()})
    days = ("2020-02-29", *DAYS, "2026-03-02", "2026-03-08", today, "2999-12-31")
    for first in ("", *days):
        for last in ("", *days):
            if first and last and first > last:
                continue
            for kind in ("", *kinds[:2]):
                wanted = sorted(
                    day
                    for day, of, _ in known.values()
                    if first <= day <= (last or "9") and kind in ("", of)
                )
                given = {"from": first, "until": last, "set": kind}
                arguments = {name: value for name, value in given.items() if value}
                found = harvest(harvested, "ListIdentifiers", **arguments)
                assert sorted(found) == wanted, arguments
                assert found == sorted(found)


def test_the_answer_names_the_request_and_the_time_of_the_release(harvested: Served) -> None:
    days = {"from": DAYS[0], "until": DAYS[1]}
    root = ask(harvested, verb="ListRecords", metadataPrefix="oai_dc", **days)
    request = root.find(f"{OAI}request")
    assert dict(request.attrib) == {
        "verb": "ListRecords",
        "metadataPrefix": "oai_dc",
        "from": DAYS[0],
        "until": DAYS[1],
    }
    assert request.text == "https://publications.example/oai"
    built = harvested.file("release.json").read_text().partition('"built": "')[2][:19]
    assert root.findtext(f"{OAI}responseDate") == f"{built}Z"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "badVerb"),
        ("?verb=Nonsense", "badVerb"),
        ("?verb=Identify&verb=Identify", "badVerb"),
        ("?verb=Identify&x=1", "badArgument"),
        ("?verb=Identify&set=report", "badArgument"),
        ("?verb=ListRecords", "badArgument"),
        ("?verb=ListRecords&metadataPrefix=marc", "cannotDisseminateFormat"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30", "badArgument"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&from=2025-02-29", "badArgument"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&from=2026-01-01T00:00:00Z", "badArgument"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&from=2026-03-02&until=2026-03-01", "badArgument"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&set=none", "noRecordsMatch"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&set=REPORT", "noRecordsMatch"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&until=2001-01-01", "noRecordsMatch"),
        ("?verb=ListRecords&resumptionToken=2026-01-05.report.00099.2026-01-01.all", "bad"),
        ("?verb=ListRecords&resumptionToken=../../../release", "bad"),
        ("?verb=ListRecords&resumptionToken=%2e%2e%2f%2e%2e%2frelease.json", "bad"),
        ("?verb=ListRecords&resumptionToken=x&metadataPrefix=oai_dc", "badArgument"),
        ("?verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
        ("?verb=GetRecord&identifier=oai:publications.example:x", "badArgument"),
        ("?verb=GetRecord&identifier=oai:publications.example:no&metadataPrefix=oai_dc", "id"),
        ("?verb=GetRecord&identifier=oai:elsewhere.example:x&metadataPrefix=oai_dc", "id"),
        ("?verb=GetRecord&identifier=%3C%21--%23exec&metadataPrefix=oai_dc", "id"),
        ("?verb=ListMetadataFormats&identifier=oai:publications.example:no", "id"),
        ("?verb=ListSets&resumptionToken=x", "badResumptionToken"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&from=<!--%23exec", "badArgument"),
        ("?verb=ListRecords&metadataPrefix=oai_dc&set=a%00b", "noRecordsMatch"),
    ],
)  # fmt: skip
def test_mistakes_are_named(harvested: Served, query: str, expected: str) -> None:
    full = {"bad": "badResumptionToken", "id": "idDoesNotExist"}.get(expected, expected)
    assert code(harvested, query.replace("<", "%3C").replace("!", "%21")) == full


def test_the_files_have_no_addresses_of_their_own(harvested: Served) -> None:
    for path in ("/oai/Identify.xml", "/oai/pages/", "/oai/error.xml", "/catalogue/changed.jsonl"):
        assert harvested.get(path).status == 404


def test_downloads_are_what_their_checksums_say(harvested: Served) -> None:
    import gzip
    import hashlib
    import json

    sums = harvested.get("/data/SHA256SUMS", Accept_Encoding="gzip").text.splitlines()
    assert len(sums) >= 3
    for line in sums:
        digest, name = line.split("  ")
        answer = harvested.get(f"/data/{name}", Accept_Encoding="gzip, br")
        assert hashlib.sha256(answer.body).hexdigest() == digest
        assert answer["content-encoding"] == ""
    whole = gzip.decompress(harvested.get("/data/publications.jsonl.gz").body).splitlines()
    alive = {one for one, (_, _, deleted) in stamps(harvested).items() if not deleted}
    assert {json.loads(line)["id"] for line in whole} == alive
