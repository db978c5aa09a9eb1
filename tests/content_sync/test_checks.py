"""Rules over values: what they keep, what they mend, and what they say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content_sync.records import VIEWS
from content_sync.source import checks
from content_sync.source.checks import Rule
from content_sync.source.convert import CONVERTERS

ANYTHING = st.one_of(
    st.none(),
    st.text(st.characters(codec=None, exclude_categories=())),
    st.sampled_from(
        ["", " ", "<b>x</b>", "a < b", "a\u00a0b", "1", "author", "2020-01-01", "\u2028"]
    ),
    st.binary(max_size=20),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.decimals(),
    st.dates(),
    st.datetimes(),
    st.uuids(),
)


def judge(rule: Rule, value: Any) -> tuple[Any, list[str]]:
    """Return what stands instead of `value`, and what the rule says."""
    reasons = []
    steps = rule(value)
    while True:
        try:
            reasons.append(next(steps))
        except StopIteration as stop:
            return stop.value, reasons


KEPT: tuple[tuple[Rule, Any, Any], ...] = (
    (checks.key, 17, "17"),
    (checks.key, Decimal("17"), "17"),
    (checks.key, 17.0, "17"),
    (checks.key, "A  ", "A"),
    (checks.key, "", None),
    (checks.key, "Ünï/cödé id", "Ünï/cödé id"),
    (
        checks.key,
        UUID("12345678-1234-5678-1234-567812345678"),
        "12345678-1234-5678-1234-567812345678",
    ),
    (checks.title, "a < b and b > c", "a < b and b > c"),
    (checks.title, "if a <b and c> d", "if a <b and c> d"),
    (checks.title, "List<T> in <unk> tokens", "List<T> in <unk> tokens"),
    (checks.title, "$x<y$ for $p>q$", "$x<y$ for $p>q$"),
    (checks.title, "  two\n lines\u00a0here ", "two lines here"),
    (checks.name, "", None),
    (checks.line, "\u200bzero", "\u200bzero"),
    (checks.prose, "One\r\n\r\nTwo\x0b <i>three</i> ", "One\n\nTwo\n <i>three</i>"),
    (checks.year, "2019", 2019),
    (checks.year, Decimal("2019.0"), 2019),
    (checks.year, " 2019 ", 2019),
    (checks.month, 5.0, 5),
    (checks.integer, True, 1),
    (checks.money, Decimal("1000.50"), "1000.5"),
    (checks.money, 1e6, "1000000"),
    (checks.money, "0.10", "0.1"),
    (checks.money, 0, "0"),
    (checks.money, -5, "-5"),
    (checks.boolean, b"\x01", 1),
    (checks.boolean, "t", 1),
    (checks.boolean, "FALSE", 0),
    (checks.boolean, Decimal(1), 1),
    (checks.boolean, None, 0),
    (checks.iso_date, date(2020, 2, 29), "2020-02-29"),
    (checks.iso_date, datetime(2020, 2, 29, 13, 5), "2020-02-29"),
    (checks.iso_date, "2020-02-29 00:00:00", "2020-02-29"),
    (checks.iso_datetime, datetime(2027, 1, 19, 9, 0), "2027-01-19T09:00"),
    (checks.iso_datetime, datetime(2027, 1, 19, 9, 0, 30, tzinfo=UTC), "2027-01-19T09:00:30"),
    (checks.iso_datetime, "2027-01-19 09:00:00+01:00", "2027-01-19T09:00"),
    (checks.kind, "Journal_Article", "journal article"),
    (checks.kind, None, "other"),
    (checks.access, " PUBLIC ", "public"),
    (checks.status, None, "current"),
    (checks.event_status, "canceled", "cancelled"),
    (checks.doi, "https://doi.org/10.1000/ABC(1)", "10.1000/ABC(1)"),
    (checks.doi, "http://dx.doi.org/10.1000/1", "10.1000/1"),
    (checks.doi, "DOI: 10.1000.10/1", "10.1000.10/1"),
    (checks.orcid, "https://orcid.org/0000-0002-1825-0097", "0000-0002-1825-0097"),
    (checks.orcid, "000000021694233x", "0000-0002-1694-233X"),
    (checks.ror, "https://ror.org/042nb2s44", "042nb2s44"),
    (checks.issn, "ISSN 1234567x", "1234-567X"),
    (checks.url, "https://x.example:8443/a?b=c#d", "https://x.example:8443/a?b=c#d"),
    (checks.licence, "CC-BY-4.0", "CC-BY-4.0"),
    (checks.licence, "https://x.example/licence", "https://x.example/licence"),
    (checks.file_path, "2019\\reports\\.\\a b.pdf", "2019/reports/a b.pdf"),
    (checks.file_path, "a..b/c...pdf", "a..b/c...pdf"),
    (checks.language, "PT_br", "pt-br"),
    (checks.language, "deu", "deu"),
    (checks.currency, "eur", "EUR"),
    (checks.timezone, "Europe/Berlin", "Europe/Berlin"),
    (checks.form, ' {"a": [1]} ', '{"a": [1]}'),
    (checks.old_path, "/show.asp?id=17&x=%20", "/show.asp?id=17&x=%20"),
    (checks.target, "publication:p 1", "publication:p 1"),
    (checks.target, "/about/", "/about/"),
)

DROPPED: tuple[tuple[Rule, Any], ...] = (
    (checks.key, "x" * 401),
    (checks.year, 999),
    (checks.year, 2201),
    (checks.year, "MMXX"),
    (checks.year, float("nan")),
    (checks.year, float("inf")),
    (checks.month, 0),
    (checks.day, 32),
    (checks.amount, -1),
    (checks.integer, 1 << 70),
    (checks.integer, "1e400"),
    (checks.money, "1,000"),
    (checks.money, "1e999"),
    (checks.money, float("inf")),
    (checks.iso_date, "31.12.2020"),
    (checks.iso_date, "0001-01-01"),
    (checks.doi, "10.1000"),
    (checks.doi, "10.1000/a b"),
    (checks.orcid, "0000-0002-1825-0098"),
    (checks.ror, "https://ror.org/042nb2s4"),
    (checks.issn, "1234"),
    (checks.url, "//x.example/"),
    (checks.url, "http://"),
    (checks.url, "https://me:secret@x.example/"),
    (checks.url, "https://x.example/ b"),
    (checks.url, "data:text/html,<script>"),
    (checks.url, "https://x.example:port/"),
    (checks.url, "https://[::1"),
    (checks.url, "https://x.example/" + "a" * 2000),
    (checks.licence, "javascript:alert(1)"),
    (checks.file_path, "a/../../b.pdf"),
    (checks.file_path, "..\\b.pdf"),
    (checks.file_path, "\\\\server\\share\\b.pdf"),
    (checks.file_path, "c:b.pdf"),
    (checks.file_path, "https://x.example/b.pdf"),
    (checks.file_path, "./"),
    (checks.language, "english language"),
    (checks.currency, "EURO"),
    (checks.timezone, "CET/Nowhere"),
    (checks.timezone, "Europe"),
    (checks.timezone, "/etc/localtime"),
    (checks.form, "[" * 100_000),
    (checks.form, "not json"),
    (checks.old_path, "old"),
    (checks.old_path, "//x.example/"),
    (checks.old_path, "/a b"),
    (checks.target, "/\\x.example/"),
    (checks.target, "person:"),
    (checks.target, "page:1"),
    (checks.project_status, "maybe"),
    (checks.status, "unknown"),
)

MENDED: tuple[tuple[Rule, Any, Any, str], ...] = (
    (checks.title, "a\0b\x1fc\ud800d", "abcd", "control characters"),
    (checks.title, "a\udcffb", "a\ufffdb", "no UTF-8"),
    (checks.title, b"a\xffb", "a\ufffdb", "no UTF-8"),
    (checks.title, "<scr<b></b>ipt>x", "x", "HTML"),
    (checks.title, "A <!-- note --> B", "A B", "HTML"),
    (checks.title, "<a href='x' title=\"y\">T</a><br/>", "T", "HTML"),
    (checks.title, "T<script src=x>", "T", "script or style"),
    (checks.prose, "A <script>x</script ><style\n>y", "A", "script or style"),
    (checks.prose, "x" * 100_001, "x" * 99_999 + "…", "cut"),
    (checks.kind, "song", "other", "none of"),
    (checks.access, "", "members", "no access"),
    (checks.access, "everyone", "members", "none of"),
    (checks.access_of_record, "abstract", "members", "abstract"),
    (checks.event_status, "full", "planned", "none of"),
    (checks.boolean, 7, 0, "neither"),
)


@pytest.mark.parametrize(("rule", "value", "kept"), KEPT)
def test_value_is_kept_in_one_form_without_a_word(rule: Rule, value: Any, kept: Any) -> None:
    assert judge(rule, value) == (kept, [])


@pytest.mark.parametrize(("rule", "value"), DROPPED)
def test_value_is_dropped_with_one_reason(rule: Rule, value: Any) -> None:
    kept, reasons = judge(rule, value)
    assert kept is None
    assert len(reasons) == 1
    assert len(reasons[0]) < 200
    assert reasons[0].isprintable()


@pytest.mark.parametrize(("rule", "value", "mended", "reason"), MENDED)
def test_value_is_mended_with_a_reason(rule: Rule, value: Any, mended: Any, reason: str) -> None:
    kept, reasons = judge(rule, value)
    assert kept == mended
    assert reason in " ".join(reasons)


def test_every_rule_says_what_it_asks_for() -> None:
    rules = {column.rule for converter in CONVERTERS.values() for column in converter.columns}
    assert all(rule.__doc__ for rule in rules)


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_comes_leaves_clean(view: str, data: st.DataObject) -> None:
    converter = CONVERTERS[view]
    row = tuple(data.draw(ANYTHING) for _ in converter.columns)
    batch = converter.convert([row], [1])
    assert len(batch.rows) + len(batch.left_out) + batch.keyless == 1
    for problem in batch.problems:
        (problem.key + problem.reason).encode()
    for clean in batch.rows:
        for text in clean:
            if isinstance(text, str):
                text.encode()
                assert "\0" not in text
        # What is clean is clean: it comes out again as it went in, without a word.
        again = converter.convert([clean[: len(converter.columns)]], [1])
        assert again.rows == [clean]
        assert again.problems == []


@pytest.mark.parametrize("view", [view.name for view in VIEWS])
@settings(max_examples=60, deadline=None)
@given(st.data())
def test_cheap_test_and_rule_agree(view: str, data: st.DataObject) -> None:
    for column in CONVERTERS[view].columns:
        value = data.draw(ANYTHING)
        if column.is_clean(value):
            assert judge(column.rule, value) == (value, [])


@settings(max_examples=200, deadline=None)
@given(st.text("<>/b \"'=ascript!-i", max_size=60))
def test_no_tag_survives_in_a_title(text: str) -> None:
    kept, _reasons = judge(checks.title, text)
    assert "<b>" not in (kept or "")
    assert "<script>" not in (kept or "")
    assert judge(checks.title, kept) == (kept, [])
