"""Rows of the source to rows of the snapshot: every value is checked on the way.

Work goes column by column over a batch of rows: a cheap test passes the values that are
clean already, which nearly all are, and a rule of `checks` sees only the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from anyascii import anyascii

from content_sync.records import VIEWS, Kind, Status, View
from content_sync.source import checks
from content_sync.source.addresses import address
from content_sync.source.checks import Finding, Problem, Rule

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """How the values of one column are checked.

    `is_clean` is true only for values that `rule` would return as they are, without a
    word. `required` says that a row without a value is left out.
    """

    name: str
    rule: Rule
    is_clean: Callable[[Any], bool]
    required: bool = False
    missing: Any = None


@dataclass(frozen=True, slots=True)
class RowRule:
    """A rule over a whole row, run only for rows whose `columns` are `suspect`."""

    rule: Callable[[dict[str, Any]], Iterable[Finding]]
    columns: tuple[str, ...]
    suspect: Callable[..., bool]


@dataclass(slots=True)
class Batch:
    """What became of some rows. `rows` end in their version; `keys` match `rows`."""

    rows: list[Row] = field(default_factory=list)
    left_out: list[tuple[str, Any]] = field(default_factory=list)  # key, version
    problems: list[Problem] = field(default_factory=list)
    keyless: int = 0


class Converter:
    """Checks the rows of one view.

    `columns` are those of the contract, in the order of its SELECT; the rows that come
    out have `extra` columns behind them, which are computed here, and then the version.
    """

    def __init__(self, view: View) -> None:
        self.view = view
        self.columns = _PLANS[view.name]
        self.names = tuple(column.name for column in self.columns)
        self.key_indexes = tuple(self.names.index(name) for name in view.key)
        self.extra = _EXTRA.get(view.name, ())
        self._row_rules = tuple(
            (rule, tuple(self.names.index(name) for name in rule.columns))
            for rule in _ROW_RULES.get(view.name, ())
        )
        self._required = tuple(i for i, column in enumerate(self.columns) if column.required)

    def keys(self, columns: Sequence[Sequence[Any]]) -> list[list[Any]]:
        """Return the key columns checked, in the order of the view's key; no findings."""
        return [
            _check_column(self.columns[i], values, _ignore)
            for i, values in zip(self.key_indexes, columns, strict=True)
        ]

    def convert(self, rows: Sequence[Sequence[Any]], versions: Sequence[Any]) -> Batch:
        """Return what becomes of `rows`, whose versions are `versions`."""
        findings: list[tuple[int, str, str, str]] = []
        checked = [
            _check_column(
                column,
                values,
                lambda n, reason, column=column: findings.append(  # type: ignore[misc]
                    (n, column.name, column.rule.__name__, reason)
                ),
            )
            for column, values in zip(self.columns, zip(*rows, strict=True), strict=True)
        ]
        dropped = self._incomplete(checked, findings)
        dropped |= self._apply_row_rules(checked, findings, dropped)
        if self.extra:
            checked.extend(_people_extra(checked[1], checked[2]))
        batch = Batch()
        key_columns = [checked[i] for i in self.key_indexes]
        lines = zip(*checked, versions, strict=True)
        if not dropped:
            batch.rows = list(lines)
        else:
            self._split(batch, list(lines), key_columns, dropped)
        for n, column_name, rule, reason in findings:
            key = [values[n] for values in key_columns]
            if None not in key:
                text = "/".join(map(str, key))
                batch.problems.append(Problem(self.view.name, text, column_name, rule, reason))
        return batch

    def _incomplete(
        self, checked: list[list[Any]], findings: list[tuple[int, str, str, str]]
    ) -> set[int]:
        dropped: set[int] = set()
        for i in self._required:
            if None in checked[i]:
                missing = [n for n, value in enumerate(checked[i]) if value is None]
                dropped.update(missing)
                column = self.columns[i].name
                findings.extend(
                    (n, column, "required", f"without a {column} it cannot be shown")
                    for n in missing
                )
        return dropped

    def _apply_row_rules(
        self,
        checked: list[list[Any]],
        findings: list[tuple[int, str, str, str]],
        incomplete: set[int],
    ) -> set[int]:
        dropped: set[int] = set()
        for rule, indexes in self._row_rules:
            suspect = rule.suspect
            columns = zip(*(checked[i] for i in indexes), strict=True)
            for n, values in enumerate(columns):
                if not suspect(*values) or n in incomplete:
                    continue
                row = dict(zip(rule.columns, values, strict=True))
                for finding in rule.rule(row):
                    findings.append((n, finding.column, rule.rule.__name__, finding.reason))
                    if finding.leaves_out:
                        dropped.add(n)
                for i, name in zip(indexes, rule.columns, strict=True):
                    checked[i][n] = row[name]
        return dropped

    def _split(
        self, batch: Batch, lines: list[Row], key_columns: list[list[Any]], dropped: set[int]
    ) -> None:
        for n, line in enumerate(lines):
            if n not in dropped:
                batch.rows.append(line)
                continue
            key = [values[n] for values in key_columns]
            if None in key:
                batch.keyless += 1
            else:
                batch.left_out.append(("\t".join(map(str, key)), line[-1]))


def _ignore(_n: int, _reason: str) -> None:
    """Drop a finding that will be made again when the whole row is read."""


def _check_column(
    column: Column, values: Sequence[Any], report: Callable[[int, str], None]
) -> list[Any]:
    is_clean, missing = column.is_clean, column.missing
    checked = list(values)
    for n, value in enumerate(values):
        if not is_clean(value):
            checked[n] = _settle(column.rule, value, n, report)
        if missing is not None and checked[n] is None:
            checked[n] = missing
    return checked


def _settle(rule: Rule, value: Any, n: int, report: Callable[[int, str], None]) -> Any:
    """Run `rule` on `value`, report what it finds, and return what stands instead."""
    steps = rule(value)
    while True:
        try:
            reason = next(steps)
        except StopIteration as stop:
            return stop.value
        report(n, reason)


def _people_extra(given_names: list[Any], family_names: list[Any]) -> list[list[str]]:
    """Return the columns `sort_name` and `letter`: names folded to the letters a to z."""
    sort_names = []
    letters = []
    for given, family in zip(given_names, family_names, strict=True):
        name = f"{family} {given}" if family and given else family or given or ""
        folded = (name if name.isascii() else anyascii(name)).casefold()
        first = next((char for char in folded if char.isalnum()), "0")
        sort_names.append(" ".join(folded.split()))
        letters.append(first if "a" <= first <= "z" else "0")
    return [sort_names, letters]


# What is clean already


def _is_key(value: Any) -> bool:
    return (
        value.__class__ is str
        and value.isprintable()
        and value.strip() == value
        and 0 < len(value) <= checks.LONGEST_KEY
    )


def _is_reference(value: Any) -> bool:
    return value is None or _is_key(value)


def _is_line(value: Any) -> bool:
    return value is None or (
        value.__class__ is str
        and value.isprintable()
        and "  " not in value
        and value.strip() == value
        and 0 < len(value) <= checks.LONGEST_LINE
    )


def _is_plain_line(value: Any) -> bool:
    return value is None or (_is_line(value) and "<" not in value)


def _is_prose(value: Any) -> bool:
    return value is None or (
        value.__class__ is str
        and (value.isprintable() or value.replace("\n", "").isprintable())
        and "<" not in value
        and value.strip() == value
        and 0 < len(value) <= checks.LONGEST_PROSE
    )


def _is_missing(value: Any) -> bool:
    return value is None


def _is_year(value: Any) -> bool:
    return value is None or (value.__class__ is int and 1000 <= value <= 2200)


def _is_month(value: Any) -> bool:
    return value is None or (value.__class__ is int and 1 <= value <= 12)


def _is_day(value: Any) -> bool:
    return value is None or (value.__class__ is int and 1 <= value <= 31)


def _is_amount(value: Any) -> bool:
    return value is None or (value.__class__ is int and 0 <= value < 1 << 31)


def _is_bit(value: Any) -> bool:
    return value.__class__ is int and (value == 0 or value == 1)


def _is_in(words: Iterable[str]) -> Callable[[Any], bool]:
    known = frozenset(str(word) for word in words)
    return lambda value: value.__class__ is str and value in known


def _never(_value: Any) -> bool:
    return False


_CLEAN_KEYS: dict[Rule, Callable[[Any], bool]] = {
    checks.key: _is_key,
    checks.name: _is_plain_line,
    checks.old_path: _never,
    address: _never,
}

# The plan of each view: its columns in the order of its SELECT


def _key(name: str, rule: Rule = checks.key) -> Column:
    return Column(name, rule, _CLEAN_KEYS[rule], required=True)


def _reference(name: str, *, required: bool = False) -> Column:
    return Column(name, checks.key, _is_reference, required)


def _position(*, missing: int | None = None) -> Column:
    required = missing is None
    return Column("position", checks.integer, _is_amount, required, missing)


def _plain(name: str, *, required: bool = False, rule: Rule = checks.name) -> Column:
    return Column(name, rule, _is_plain_line, required)


def _line(name: str) -> Column:
    return Column(name, checks.line, _is_line)


def _prose(name: str) -> Column:
    return Column(name, checks.prose, _is_prose)


def _checked(name: str, rule: Rule, *, required: bool = False) -> Column:
    return Column(name, rule, _is_missing, required)


def _day(name: str) -> Column:
    return _checked(name, checks.iso_date)


def _time(name: str) -> Column:
    return _checked(name, checks.iso_datetime)


def _flag(name: str) -> Column:
    return Column(name, checks.boolean, _is_bit)


_ACCESS = Column("access", checks.access, _is_in(("public", "abstract", "members")))
_ACCESS_OF_RECORD = Column("access", checks.access_of_record, _is_in(("public", "members")))
_TITLE = _plain("title", required=True, rule=checks.title)
_NAME = _plain("name", required=True)

_PLANS: dict[str, tuple[Column, ...]] = {
    "institutions": (
        _key("id"),
        _NAME,
        _checked("ror", checks.ror),
        _plain("city"),
        _plain("country"),
        _flag("is_member_company"),
    ),
    "people": (
        _key("id"),
        _plain("given_name"),
        _plain("family_name"),
        _checked("orcid", checks.orcid),
        _reference("institution_id"),
        _checked("home_page", checks.url),
        _flag("is_student"),
    ),
    "person_names": (_key("person_id"), _key("name", checks.name)),
    "people_accounts": (_key("person_id"), _key("address", address)),
    "venues": (
        _key("id"),
        _NAME,
        _plain("short_name"),
        _checked("issn", checks.issn),
        _checked("url", checks.url),
    ),
    "topics": (_key("id"), _NAME, _reference("parent_id")),
    "publications": (
        _key("id"),
        _TITLE,
        _prose("abstract"),
        Column("kind", checks.kind, _is_in(Kind)),
        Column("year", checks.year, _is_year),
        Column("month", checks.month, _is_month),
        Column("day", checks.day, _is_day),
        _reference("venue_id"),
        _plain("published_in", rule=checks.title),
        _line("volume"),
        _line("issue"),
        _line("pages"),
        _plain("publisher"),
        _checked("doi", checks.doi),
        _checked("url", checks.url),
        _checked("file_path", checks.file_path),
        _checked("language", checks.language),
        _checked("licence", checks.licence),
        _ACCESS,
        _day("public_on"),
        Column("status", checks.status, _is_in(Status)),
        _prose("status_reason"),
        _day("status_date"),
        _reference("replaced_by"),
    ),
    "publication_people": (
        _key("publication_id"),
        Column("role", checks.role, _is_in(("author", "editor")), missing="author"),
        _position(),
        _reference("person_id"),
        _NAME,
        _plain("affiliation"),
    ),
    "publication_topics": (_key("publication_id"), _key("topic_id")),
    "projects": (
        _key("id"),
        _TITLE,
        _prose("summary"),
        _plain("programme"),
        _plain("theme"),
        _day("starts_on"),
        _day("ends_on"),
        _checked("status", checks.project_status),
        _checked("budget", checks.money),
        _checked("currency", checks.currency),
        _reference("lead_person_id"),
        _reference("institution_id"),
        _checked("url", checks.url),
        _ACCESS_OF_RECORD,
    ),
    "project_people": (
        _key("project_id"),
        _key("person_id"),
        Column("role", checks.role, _is_in(("member", "lead")), missing="member"),
        _position(missing=0),
    ),
    "project_publications": (_key("project_id"), _key("publication_id")),
    "deliverables": (
        _key("id"),
        _reference("project_id", required=True),
        _TITLE,
        _day("due_on"),
        _day("submitted_on"),
        _day("accepted_on"),
        _checked("status", checks.deliverable_status),
        _ACCESS_OF_RECORD,
    ),
    "deliverable_publications": (_key("deliverable_id"), _key("publication_id")),
    "events": (
        _key("id"),
        _TITLE,
        _prose("description"),
        _time("starts_at"),
        _time("ends_at"),
        _checked("timezone", checks.timezone),
        _plain("place"),
        Column("status", checks.event_status, _is_in(("planned", "postponed", "cancelled"))),
        Column("capacity", checks.amount, _is_amount),
        _time("registration_opens_at"),
        _time("registration_closes_at"),
        _checked("form", checks.form),
        Column("answers_kept_days", checks.amount, _is_amount),
        _ACCESS_OF_RECORD,
    ),
    "event_organisers": (_key("event_id"), _key("person_id"), _position(missing=0)),
    "event_sessions": (
        _key("id"),
        _reference("event_id", required=True),
        _TITLE,
        _time("starts_at"),
        _time("ends_at"),
        _plain("place"),
        _position(missing=0),
    ),
    "session_speakers": (_key("session_id"), _position(), _reference("person_id"), _NAME),
    "session_publications": (_key("session_id"), _key("publication_id")),
    "redirects": (
        _key("old_path", checks.old_path),
        _checked("target", checks.target, required=True),
    ),
}

_EXTRA: dict[str, tuple[str, ...]] = {"people": ("sort_name", "letter")}


def _may_be_no_date(year: Any, month: Any, day: Any) -> bool:
    if month is None and day is None:
        return False
    return year is None or month is None or (day is not None and day > 28)


def _both(first: Any, second: Any) -> bool:
    return first is not None and second is not None


_ROW_RULES: dict[str, tuple[RowRule, ...]] = {
    "people": (
        RowRule(
            checks.has_a_name,
            ("given_name", "family_name"),
            lambda given, family: given is None and family is None,
        ),
    ),
    "topics": (
        RowRule(
            checks.is_not_below_itself,
            ("id", "parent_id"),
            lambda topic, parent: parent is not None and topic == parent,
        ),
    ),
    "publications": (
        RowRule(checks.has_a_known_status, ("status",), lambda status: status is None),
        RowRule(checks.has_a_day_of_its_month, ("year", "month", "day"), _may_be_no_date),
        RowRule(
            checks.is_not_replaced_by_itself,
            ("id", "replaced_by"),
            lambda publication, other: other is not None and publication == other,
        ),
    ),
    "publication_people": (
        RowRule(
            checks.has_a_known_role,
            ("role",),
            lambda role: role != "author" and role != "editor",
        ),
    ),
    "projects": (RowRule(checks.project_ends_after_its_start, ("starts_on", "ends_on"), _both),),
    "events": (
        RowRule(checks.ends_after_its_start, ("starts_at", "ends_at"), _both),
        RowRule(
            checks.registration_closes_after_it_opens,
            ("registration_opens_at", "registration_closes_at"),
            _both,
        ),
    ),
    "event_sessions": (RowRule(checks.ends_after_its_start, ("starts_at", "ends_at"), _both),),
}

CONVERTERS: dict[str, Converter] = {view.name: Converter(view) for view in VIEWS}


def rules() -> dict[str, str]:
    """Return what each rule over values and rows says, its docstring, by its name."""
    functions = [column.rule for plan in _PLANS.values() for column in plan]
    functions += [row_rule.rule for found in _ROW_RULES.values() for row_rule in found]  # type: ignore[misc]
    return {function.__name__: function.__doc__ or "" for function in functions}
