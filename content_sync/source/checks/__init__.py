"""The rules that every value and every row of the source must keep.

A rule over a value is a generator: it yields a reason for each thing that is wrong and
returns the value that stands instead; its docstring states the rule. A rule over a row is
given the row as a dict, yields findings, and changes the dict. What a rule cannot mend it
drops, and a row that cannot be shown without it is left out. Rules over several rows stand
in `content_sync/sync/references.py`.
"""

from content_sync.source.checks.dates import iso_date, iso_datetime
from content_sync.source.checks.findings import Finding, Mended, Problem, Rule
from content_sync.source.checks.identifiers import (
    currency,
    doi,
    issn,
    language,
    licence,
    orcid,
    ror,
    timezone,
    url,
)
from content_sync.source.checks.numbers import amount, boolean, day, integer, money, month, year
from content_sync.source.checks.rows import (
    ends_after_its_start,
    has_a_day_of_its_month,
    has_a_known_role,
    has_a_known_status,
    has_a_name,
    is_not_below_itself,
    is_not_replaced_by_itself,
    project_ends_after_its_start,
    registration_closes_after_it_opens,
)
from content_sync.source.checks.text import (
    LONGEST_FORM,
    LONGEST_KEY,
    LONGEST_LINE,
    LONGEST_PROSE,
    LONGEST_TITLE,
    file_path,
    form,
    key,
    line,
    name,
    old_path,
    prose,
    role,
    target,
    title,
)
from content_sync.source.checks.words import (
    access,
    access_of_record,
    deliverable_status,
    event_status,
    kind,
    project_status,
    status,
)

__all__ = [
    "LONGEST_FORM",
    "LONGEST_KEY",
    "LONGEST_LINE",
    "LONGEST_PROSE",
    "LONGEST_TITLE",
    "Finding",
    "Mended",
    "Problem",
    "Rule",
    "access",
    "access_of_record",
    "amount",
    "boolean",
    "currency",
    "day",
    "deliverable_status",
    "doi",
    "ends_after_its_start",
    "event_status",
    "file_path",
    "form",
    "has_a_day_of_its_month",
    "has_a_known_role",
    "has_a_known_status",
    "has_a_name",
    "integer",
    "is_not_below_itself",
    "is_not_replaced_by_itself",
    "iso_date",
    "iso_datetime",
    "issn",
    "key",
    "kind",
    "language",
    "licence",
    "line",
    "money",
    "month",
    "name",
    "old_path",
    "orcid",
    "project_ends_after_its_start",
    "project_status",
    "prose",
    "registration_closes_after_it_opens",
    "role",
    "ror",
    "status",
    "target",
    "timezone",
    "title",
    "url",
    "year",
]
