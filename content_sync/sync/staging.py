"""Beside the snapshot: what a sync has read and not yet applied, and what differs.

`staging` is a second file with the tables of a snapshot, attached to the connection that
writes the snapshot. For each view of the source it also holds `keys_<view>` (every key and
version that the source has), `wanted_<view>` (those to be read) and `diff_<view>`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from content_sync.records import View
from content_sync.snapshot import COLUMNS
from content_sync.source.connect import Source
from content_sync.source.convert import CONVERTERS, Batch, Row
from content_sync.source.read import (
    KEYS_AT_ONCE,
    Rows,
    SourceView,
    stream_rows,
)
from content_sync.sync.run import Count

UNKNOWN_VERSION = b""

_WHOLE_SHARE = 1 / 3
"""From this share of changed rows on, reading a view whole is cheaper than by keys."""


class Intake:
    """Takes rows of one view in: checks them and writes them into a schema's tables.

    `keyless` rows have no usable key; `surplus` tells, by key (its parts joined by a tab),
    how many rows beside the one that was kept had the same key.
    """

    def __init__(self, connection: sqlite3.Connection, schema: str, view: View) -> None:
        self.connection = connection
        self.schema = schema
        self.view = view
        self.keyless = 0
        self.surplus: dict[str, int] = {}
        self._converter = CONVERTERS[view.name]
        self._key_indexes = self._converter.key_indexes
        columns = COLUMNS[view.name]
        marks = ", ".join("?" * len(columns))
        self._insert = f"INSERT INTO {schema}.{view.name} ({', '.join(columns)}) VALUES ({marks})"
        self._insert_left_out = f"INSERT INTO {schema}.left_out VALUES (?, ?, ?)"
        self._where = " AND ".join(f"{name} = ?" for name in view.key)
        self._select = f"SELECT {', '.join(columns)} FROM {schema}.{view.name} WHERE {self._where}"
        self._delete = f"DELETE FROM {schema}.{view.name} WHERE {self._where}"

    def take(self, rows: Rows, versions: Sequence[Any]) -> None:
        """Check `rows` and write those that can be shown, and what was found."""
        known = [UNKNOWN_VERSION if version is None else version for version in versions]
        batch = self._converter.convert(rows, known)
        self.keyless += batch.keyless
        self._write_rows(batch.rows)
        self._write_findings(batch)

    def finish(self) -> None:
        """Forget that rows were left out where another row with their key was not."""
        name = self.view.name
        query = f"SELECT 1 FROM {self.schema}.left_out WHERE view = ? LIMIT 1"
        if not self.connection.execute(query, (name,)).fetchone():
            return
        keys = key_text(self.view, "n", "char(9)")
        shown = self.connection.execute(
            f"DELETE FROM {self.schema}.left_out WHERE view = ? "
            f"AND key IN (SELECT {keys} FROM {self.schema}.{name} AS n) RETURNING key",
            (name,),
        ).fetchall()
        self.connection.executemany(
            f"UPDATE {self.schema}.{name} SET version = x'' WHERE {self._where}",
            (key.split("\t") for (key,) in shown),
        )
        for (key,) in shown:
            self._count_surplus(key)

    def _write_rows(self, rows: list[Row]) -> None:
        self._write_many(self._insert, rows, self._write_row)

    def _write_many(
        self, statement: str, rows: Sequence[Row], write_one: Callable[[Row], None]
    ) -> None:
        """Write `rows` at once, or one by one when two of them have the same key."""
        self.connection.execute("SAVEPOINT rows")
        try:
            self.connection.executemany(statement, rows)
        except sqlite3.IntegrityError:
            self.connection.execute("ROLLBACK TO rows")
            for row in rows:
                write_one(row)
        self.connection.execute("RELEASE rows")

    def _count_surplus(self, key: str) -> None:
        self.surplus[key] = self.surplus.get(key, 0) + 1

    def _write_row(self, row: Row) -> None:
        """Write one row; of two with the same key keep the one with the smaller hash."""
        try:
            self.connection.execute(self._insert, row)
        except sqlite3.IntegrityError:
            key = tuple(row[i] for i in self._key_indexes)
            other = self.connection.execute(self._select, key).fetchone()
            if other is None:
                raise
            self._count_surplus("\t".join(map(str, key)))
            kept = min(other[:-1], row[:-1], key=_hash)
            self.connection.execute(self._delete, key)
            self.connection.execute(self._insert, (*kept, UNKNOWN_VERSION))

    def _write_left_out(self, row: Row) -> None:
        try:
            self.connection.execute(self._insert_left_out, row)
        except sqlite3.IntegrityError:
            self._count_surplus(row[1])
            self.connection.execute(
                f"UPDATE {self.schema}.left_out SET version = x'' WHERE view = ? AND key = ?",
                row[:2],
            )

    def _write_findings(self, batch: Batch) -> None:
        if batch.left_out:
            left_out = [(self.view.name, key, version) for key, version in batch.left_out]
            self._write_many(self._insert_left_out, left_out, self._write_left_out)
        if batch.problems:
            self.connection.executemany(
                f"INSERT INTO {self.schema}.problems VALUES (?, ?, ?, ?, ?, 0) "
                "ON CONFLICT DO UPDATE SET reason = min(reason, excluded.reason)",
                ((p.view, p.key, p.column, p.rule, p.reason) for p in batch.problems),
            )


def write_key_problems(
    connection: sqlite3.Connection,
    schema: str,
    view: View,
    keyless: int,
    repeated: Iterable[tuple[str, int]],
) -> None:
    """Report rows without a key, and keys that several rows have."""
    problems = [
        (view.name, key, view.key[0], "duplicate_key", f"{count} rows have this key; one is kept")
        for key, count in repeated
    ]
    if keyless:
        reason = f"{keyless} rows without a usable key cannot be shown"
        problems.append((view.name, "", view.key[0], "no_key", reason))
    connection.executemany(
        f"INSERT OR REPLACE INTO {schema}.problems VALUES (?, ?, ?, ?, ?, 0)", problems
    )


def key_text(view: View, alias: str, separator: str) -> str:
    """Return SQL for the key of a row as one text."""
    return f" || {separator} || ".join(f"{alias}.{name}" for name in view.key)


def same_key(view: View, one: str, other: str) -> str:
    """Return SQL that says that two rows have the same key."""
    return " AND ".join(f"{one}.{name} = {other}.{name}" for name in view.key)


def create_work_tables(connection: sqlite3.Connection, view: View) -> None:
    """Make the tables that a comparison of `view` needs."""
    keys = ", ".join(f"{name} {'INTEGER' if name == 'position' else 'TEXT'}" for name in view.key)
    primary = f"PRIMARY KEY ({', '.join(view.key)})) WITHOUT ROWID"
    name = view.name
    _create_keys(connection, view)
    connection.execute(f"CREATE TABLE staging.wanted_{name} ({keys}, raw, {primary}")
    connection.execute(f"CREATE TABLE staging.diff_{name} ({keys}, change TEXT, {primary}")


def choose_wanted(connection: sqlite3.Connection, view: View, *, everything: bool) -> int:
    """Write into `wanted_<view>` the rows to be read and return how many they are.

    These are the rows whose version differs from that in the snapshot, or `everything`.
    """
    name = view.name
    columns = ", ".join(f"k.{column}" for column in view.key)
    condition = f"""
        k.version IS NULL
        OR (SELECT s.version FROM main.{name} AS s WHERE {same_key(view, "s", "k")})
           IS NOT k.version
        AND (SELECT o.version FROM main.left_out AS o
             WHERE o.view = '{name}' AND o.key = {key_text(view, "k", "char(9)")})
           IS NOT k.version
    """
    written = connection.execute(
        f"""
        INSERT INTO staging.wanted_{name}
        SELECT {columns}, k.raw FROM staging.keys_{name} AS k
        WHERE {"true" if everything else condition}
        """
    )
    return written.rowcount


def is_cheaper_by_key(connection: sqlite3.Connection, view: View, wanted: int) -> bool:
    """Tell whether to ask for the wanted rows by their keys, or to read the view whole."""
    total = connection.execute(f"SELECT count(*) FROM staging.keys_{view.name}").fetchone()[0]
    return wanted <= KEYS_AT_ONCE or wanted < total * _WHOLE_SHARE


def wanted_keys(connection: sqlite3.Connection, view: View) -> Iterator[list[Any]]:
    """Yield the first key columns of the wanted rows, as the source spells them, in batches."""
    keys = connection.execute(
        f"SELECT DISTINCT coalesce(raw, {view.key[0]}) FROM staging.wanted_{view.name}"
    )
    while some := [key for (key,) in keys.fetchmany(KEYS_AT_ONCE)]:
        yield some


def least_wanted_version(connection: sqlite3.Connection, view: View) -> bytes | None:
    """Return the least version of the wanted rows, if all are rowversions."""
    rows = connection.execute(
        f"""
        SELECT min(k.version), min(typeof(k.version) = 'blob' AND length(k.version) = 8)
        FROM staging.wanted_{view.name} AS w
        JOIN staging.keys_{view.name} AS k ON {same_key(view, "k", "w")}
        """
    ).fetchone()
    return bytes(rows[0]) if rows[1] else None


def take_all(
    connection: sqlite3.Connection,
    schema: str,
    source: Source,
    found: SourceView,
    count: Count,
    since: bytes,
) -> Intake:
    """Read a view whole, or what its procedure returns `since` a version, into `schema`."""
    intake = Intake(connection, schema, found.view)
    for rows, versions in stream_rows(source, found, since):
        intake.take(rows, versions)
        count(len(rows))
    intake.finish()
    return intake


def forget_rows(connection: sqlite3.Connection, view: View, schema: str = "staging") -> None:
    """Take all that was read of a view's rows out again."""
    connection.execute(f"DELETE FROM {schema}.{view.name}")
    for table in ("left_out", "problems"):
        connection.execute(f"DELETE FROM {schema}.{table} WHERE view = ?", (view.name,))


def assume_keys(connection: sqlite3.Connection, view: View) -> None:
    """Fill `keys_<view>` with what the snapshot knows, as if the source still had it all."""
    name = view.name
    keys = ", ".join(view.key)
    connection.execute(f"DELETE FROM staging.keys_{name}")
    connection.execute(
        f"INSERT INTO staging.keys_{name} SELECT {keys}, NULL, version, 1 FROM main.{name}"
    )
    left_out = connection.execute(
        "SELECT key, version FROM main.left_out WHERE view = ?", (name,)
    ).fetchall()
    marks = ", ".join("?" * len(view.key))
    connection.executemany(
        f"INSERT OR IGNORE INTO staging.keys_{name} VALUES ({marks}, NULL, ?, 1)",
        ((*key.split("\t"), version) for key, version in left_out),
    )


def note_asked(connection: sqlite3.Connection, view: View, keys: Iterable[str]) -> None:
    """Note that of a view nothing is read but the rows whose first key is one of these."""
    connection.execute(f"DELETE FROM staging.keys_{view.name}")
    connection.execute(
        "CREATE TABLE IF NOT EXISTS staging.asked (view TEXT, key TEXT, PRIMARY KEY (view, key))"
        " WITHOUT ROWID"
    )
    connection.executemany(
        "INSERT OR IGNORE INTO staging.asked VALUES (?, ?)", ((view.name, key) for key in keys)
    )


def is_partly_read(connection: sqlite3.Connection, view: View) -> bool:
    """Tell whether `note_asked` was called for a view: what it says nothing of is as it was."""
    if not connection.execute(
        "SELECT 1 FROM staging.sqlite_master WHERE name = 'asked'"
    ).fetchone():
        return False
    query = "SELECT 1 FROM staging.asked WHERE view = ? LIMIT 1"
    return connection.execute(query, (view.name,)).fetchone() is not None


_ASKED = "SELECT key FROM staging.asked WHERE view = '{}'"


def note_keys(
    connection: sqlite3.Connection, view: View, rows: Rows, versions: Sequence[Any]
) -> None:
    """Write keys and versions of rows that a window showed into `keys_<view>`."""
    converter = CONVERTERS[view.name]
    checked = converter.keys([[row[i] for row in rows] for i in converter.key_indexes])
    marks = ", ".join("?" * len(view.key))
    connection.executemany(
        f"INSERT INTO staging.keys_{view.name} VALUES ({marks}, NULL, ?, 1) "
        "ON CONFLICT DO UPDATE SET version = excluded.version",
        (key for key in zip(*checked, versions, strict=True) if None not in key[:-1]),
    )


def set_keys_aside(connection: sqlite3.Connection, view: View) -> None:
    """Keep the keys that were read first as `before_<view>`, and make room for others."""
    name = view.name
    connection.execute(f"DROP TABLE IF EXISTS staging.before_{name}")
    connection.execute(f"ALTER TABLE staging.keys_{name} RENAME TO before_{name}")
    _create_keys(connection, view)


def count_moved(connection: sqlite3.Connection, view: View) -> int:
    """Return how many rows differ between the keys set aside, the new ones and those staged."""
    name = view.name
    both = same_key(view, "k", "b")
    counts = connection.execute(
        f"""
        SELECT
          (SELECT count(*) FROM staging.keys_{name} AS k
           LEFT JOIN staging.before_{name} AS b ON {both}
           WHERE b.n IS NULL OR (k.version, k.n, k.raw) IS NOT (b.version, b.n, b.raw)),
          (SELECT count(*) FROM staging.before_{name} AS b
           WHERE NOT EXISTS (SELECT 1 FROM staging.keys_{name} AS k WHERE {both})),
          (SELECT count(*) FROM staging.{name} AS r
           LEFT JOIN staging.keys_{name} AS k ON {same_key(view, "k", "r")}
           WHERE k.n IS NULL
              OR (k.version IS NOT NULL AND r.version <> x'' AND r.version IS NOT k.version))
        """
    ).fetchone()
    connection.execute(f"DROP TABLE staging.before_{name}")
    return sum(counts)


def repeated_keys(connection: sqlite3.Connection, view: View) -> list[tuple[str, int]]:
    """Return the keys that several rows of the source have, and how many."""
    return connection.execute(
        f"SELECT {key_text(view, 'k', repr('/'))}, n FROM staging.keys_{view.name} AS k WHERE n > 1"
    ).fetchall()


def has_ambiguous_keys(connection: sqlite3.Connection, view: View) -> bool:
    """Tell whether keys that differ in the source are the same here (`A` and `A `)."""
    found = connection.execute(
        f"SELECT 1 FROM staging.keys_{view.name} AS k WHERE n > 1 "
        f"AND EXISTS (SELECT 1 FROM staging.keys_{view.name} WHERE raw IS NOT NULL) LIMIT 1"
    ).fetchone()
    return found is not None


def count_wanted_and_gone(connection: sqlite3.Connection, view: View) -> int:
    """Return how many rows of the snapshot are not those that the source was just seen to have."""
    name = view.name
    wanted, gone = connection.execute(
        f"""
        SELECT
          (SELECT count(*) FROM staging.wanted_{name} AS w
           JOIN staging.keys_{name} AS k ON {same_key(view, "k", "w")}
           WHERE k.version IS NOT NULL),
          (SELECT count(*) FROM main.{name} AS s
           WHERE NOT EXISTS (SELECT 1 FROM staging.keys_{name} AS k
                             WHERE {same_key(view, "k", "s")}))
        """
    ).fetchone()
    return int(wanted + gone)


def misses_rows(connection: sqlite3.Connection, view: View) -> bool:
    """Tell whether a wanted row was not among those that its key found."""
    name = view.name
    found = connection.execute(
        f"""
        SELECT 1 FROM staging.wanted_{name} AS k
        WHERE NOT EXISTS (SELECT 1 FROM staging.{name} AS n WHERE {same_key(view, "n", "k")})
          AND NOT EXISTS (SELECT 1 FROM staging.left_out AS o
                          WHERE o.view = '{name}' AND o.key = {key_text(view, "k", "char(9)")})
        LIMIT 1
        """
    ).fetchone()
    return found is not None


def find_differences(connection: sqlite3.Connection, view: View) -> dict[str, int]:
    """Fill `diff_<view>` and return how many rows were added, changed and gone."""
    name = view.name
    keys = ", ".join(view.key)
    of = {alias: ", ".join(f"{alias}.{column}" for column in view.key) for alias in "ns"}
    values = COLUMNS[name][:-1]
    new, old = (", ".join(f"{alias}.{column}" for column in values) for alias in "ns")
    same = same_key(view, "s", "n")
    rows = f"main.{name} AS s"
    if is_partly_read(connection, view):
        rows = f"({_ASKED.format(name)}) AS o CROSS JOIN {rows} ON s.{view.key[0]} = o.key"
    gone = f"NOT EXISTS (SELECT 1 FROM staging.keys_{name} AS n WHERE {same})"
    if connection.execute("SELECT 1 FROM staging.left_out WHERE view = ?", (name,)).fetchone():
        gone = f"""({gone} OR (
            EXISTS (SELECT 1 FROM staging.left_out AS o WHERE o.view = '{name}'
                    AND o.key = {key_text(view, "s", "char(9)")})
            AND NOT EXISTS (SELECT 1 FROM staging.{name} AS n WHERE {same})
        ))"""
    queries = {
        "added": f"SELECT {of['n']}, 'added' FROM staging.{name} AS n "
        f"WHERE NOT EXISTS (SELECT 1 FROM main.{name} AS s WHERE {same})",
        "changed": f"SELECT {of['n']}, 'changed' FROM staging.{name} AS n "
        f"CROSS JOIN main.{name} AS s ON {same} WHERE ({new}) IS NOT ({old})",
        "gone": f"SELECT {of['s']}, 'gone' FROM {rows} WHERE {gone}",
    }
    return {
        change: connection.execute(
            f"INSERT INTO staging.diff_{name} ({keys}, change) {query}"
        ).rowcount
        for change, query in queries.items()
    }


def apply_view(connection: sqlite3.Connection, view: View) -> bool:
    """Bring the snapshot's table of `view` to what `staging` holds, versions included.

    Returns whether other rows than before are left out.
    """
    name = view.name
    columns = COLUMNS[name]
    others = [column for column in columns if column not in view.key]
    same = same_key(view, "s", "n")
    new, old = (", ".join(f"{alias}.{column}" for column in columns) for alias in "ns")
    if _has_gone(connection, name):
        connection.execute(
            f"DELETE FROM main.{name} AS s WHERE EXISTS (SELECT 1 FROM staging.diff_{name} AS n "
            f"WHERE n.change = 'gone' AND {same})"
        )
    connection.execute(
        f"""
        INSERT INTO main.{name} ({", ".join(columns)})
        SELECT {new} FROM staging.{name} AS n
        WHERE NOT EXISTS (SELECT 1 FROM main.{name} AS s WHERE {same} AND ({new}) IS ({old}))
        ON CONFLICT DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in others)}
        """
    )
    return _apply_left_out(connection, view)


def apply_problems(connection: sqlite3.Connection, view: View, *, is_window: bool = False) -> None:
    """Bring the problems of single rows and of keys of `view` up to date.

    A window of the view says nothing of keys that are missing or there twice.
    """
    name = view.name
    of_keys = "" if is_window else "p.rule IN ('no_key', 'duplicate_key') OR"
    read = "true"
    if is_partly_read(connection, view):
        read = f"""EXISTS (SELECT 1 FROM ({_ASKED.format(name)}) AS o
                           WHERE p.key = o.key
                              OR substr(p.key, 1, length(o.key) + 1) = o.key || '/')"""
    if connection.execute("SELECT 1 FROM main.problems WHERE view = ?", (name,)).fetchone():
        connection.execute(
            f"""
            DELETE FROM main.problems AS p
            WHERE p.view = '{name}'
              AND p.rule NOT IN ('reference', 'circle', 'many_people')
              AND p.rule NOT IN ({"'no_key', 'duplicate_key'" if is_window else "''"})
              AND ({of_keys}
                   p.key IN (SELECT {key_text(view, "n", "'/'")} FROM staging.{name} AS n)
                   OR p.key IN (SELECT replace(o.key, char(9), '/') FROM staging.left_out AS o
                                WHERE o.view = '{name}')
                   OR {read} AND p.key NOT IN (SELECT {key_text(view, "k", "'/'")}
                                               FROM staging.keys_{name} AS k))
              AND NOT EXISTS (SELECT 1 FROM staging.problems AS q WHERE q.view = p.view
                              AND q.key = p.key AND q.column = p.column AND q.rule = p.rule)
            """
        )


def land_problems(
    connection: sqlite3.Connection, number: int, looked_at: Iterable[tuple[str, str, str]]
) -> None:
    """Write the staged problems; rules `looked_at` over many rows lose what they no longer find.

    A problem that was known keeps the sync that it was first seen in.
    """
    connection.executemany(
        """
        DELETE FROM main.problems AS p
        WHERE p.view = ? AND p.column = ? AND p.rule = ?
          AND NOT EXISTS (SELECT 1 FROM staging.problems AS q WHERE q.view = p.view
                          AND q.key = p.key AND q.column = p.column AND q.rule = p.rule)
        """,
        looked_at,
    )
    connection.execute(
        """
        INSERT INTO main.problems (view, key, column, rule, reason, first_seen)
        SELECT view, key, column, rule, reason, ? FROM staging.problems WHERE true
        ON CONFLICT DO UPDATE SET reason = excluded.reason WHERE reason <> excluded.reason
        """,
        (number,),
    )


def _create_keys(connection: sqlite3.Connection, view: View) -> None:
    keys = ", ".join(f"{name} {'INTEGER' if name == 'position' else 'TEXT'}" for name in view.key)
    connection.execute(
        f"CREATE TABLE staging.keys_{view.name} ({keys}, raw, version, n, "
        f"PRIMARY KEY ({', '.join(view.key)})) WITHOUT ROWID"
    )


def _has_gone(connection: sqlite3.Connection, name: str) -> bool:
    query = f"SELECT 1 FROM staging.diff_{name} WHERE change = 'gone' LIMIT 1"
    return connection.execute(query).fetchone() is not None


def _apply_left_out(connection: sqlite3.Connection, view: View) -> bool:
    name = view.name
    gone = 0
    read = "true"
    if is_partly_read(connection, view):
        first = "substr(key, 1, instr(key || char(9), char(9)) - 1)"
        read = f"{first} IN ({_ASKED.format(name)})"
    if connection.execute("SELECT 1 FROM main.left_out WHERE view = ?", (name,)).fetchone():
        gone = connection.execute(
            f"""
            DELETE FROM main.left_out WHERE view = '{name}' AND (
                {read}
                AND key NOT IN (SELECT {key_text(view, "k", "char(9)")}
                                FROM staging.keys_{name} AS k)
                OR key IN (SELECT {key_text(view, "n", "char(9)")} FROM staging.{name} AS n))
            """
        ).rowcount
    new = connection.execute(
        """
        SELECT count(*) FROM staging.left_out AS s WHERE s.view = ? AND NOT EXISTS (
            SELECT 1 FROM main.left_out AS o WHERE o.view = s.view AND o.key = s.key)
        """,
        (name,),
    ).fetchone()[0]
    connection.execute(
        """
        INSERT INTO main.left_out SELECT view, key, version FROM staging.left_out WHERE view = ?
        ON CONFLICT DO UPDATE SET version = excluded.version WHERE version IS NOT excluded.version
        """,
        (name,),
    )
    return bool(gone or new)


def _hash(row: Sequence[Any]) -> bytes:
    return blake2b(repr(tuple(row)).encode(), digest_size=16).digest()
