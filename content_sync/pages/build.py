"""Lead a build: decide which pages to look at, have them made, collect what came of it."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from content_sync.errors import BuildError
from content_sync.pages.access import ROOT, effective
from content_sync.pages.cache import Cache
from content_sync.pages.documents import Documents, buckets_for
from content_sync.pages.errors import ERROR_PAGES
from content_sync.pages.errors import FOLDER as ERRORS_FOLDER
from content_sync.pages.full_texts import FullTextReport, bring_full_texts
from content_sync.pages.placing import place_full_texts
from content_sync.pages.postings import KEPT, Postings
from content_sync.pages.reader import Reader, in_batches, open_reader
from content_sync.pages.recipe import engine_digest, template_digests
from content_sync.pages.registrations import digest_of_registrations, read_registrations
from content_sync.pages.render import (
    Batch,
    Renderer,
    Setup,
    digest_of_values,
    make_batch,
    prepare_environment,
)
from content_sync.pages.scope import everything, look_at, owned_paths
from content_sync.pages.sections import navigation
from content_sync.pages.security import SECURITY_FILE, security_text
from content_sync.pages.service_file import service_file
from content_sync.pages.shown import footer_links, shown_by_every_page
from content_sync.pages.signals import records_ready
from content_sync.pages.wording import iso_in_words
from content_sync.processes import at_once, is_worth_it, processes
from content_sync.records import Access, Status
from content_sync.release.stage import Stage, write_file
from content_sync.settings import Settings, read_settings
from content_sync.urls import PLURALS, record_url

if TYPE_CHECKING:
    from content_sync.pages.generator import RecordsGenerator

Progress = Callable[[str, int, int], None]

_BATCH = {
    "work": 400,
    "publication": 400,
    "person": 600,
    "venue": 8,
    "venue_year": 40,
    "year": 1,
    "topic": 8,
    "theme": 20,
    "programme": 1,
}
_BATCH_OTHERS = 200
_FEW = 5000
"""Up to so many records are rendered here: starting processes takes as long as a thousand, and
an ordinary night is to be cheap rather than over some seconds sooner."""

_DOCUMENTED = {"work" if kind == "publication" else kind: kind for kind in PLURALS}
"""Kind of batch → type of the records that it brings documents of."""
_DOCUMENTED_TABLES = tuple(PLURALS.values())


@dataclass(slots=True)
class BuildReport:
    """What a build looked at and made."""

    full: bool = True
    looked_at: int = 0
    """Records and listings whose pages were considered."""
    written: int = 0
    """Pages, and the files beside them such as citations, that were written."""
    pages: int = 0
    """Pages among them."""
    unchanged: int = 0
    """Pages and such files that were considered and found as in the last release."""
    removed: int = 0
    shared: int = 0
    """Files taken over from the last release."""
    redirects_refused: list[str] = field(default_factory=list)
    """Redirects of the source that the site does not follow, each with the reason."""
    documents: dict[str, int] = field(default_factory=dict)
    full_texts: FullTextReport = field(default_factory=FullTextReport)


class Build:
    """One build of the site's record pages, for one day and one snapshot."""

    def __init__(
        self,
        settings: Settings,
        *,
        stage: Stage | None,
        trees: dict[str, Path],
        today: date,
        full: bool = False,
        progress: Progress | None = None,
    ) -> None:
        if not settings.snapshot.is_file():
            raise BuildError(
                f"There is no snapshot {settings.snapshot}.", hint="Run 'nightpress sync' first."
            )
        self.settings = settings
        self.stage = stage
        self.trees = trees
        self.today = today.isoformat()
        self.full = full
        self.progress = progress or (lambda step, done, total: None)
        self.report = BuildReport()
        self.cache = Cache(settings.var / "cache.sqlite", on_network=bool(settings.cluster))
        self.postings = Postings(self.cache.connection)
        self.reader = open_reader(settings.snapshot, self.cache.path, self.today)
        self.registrations = read_registrations(settings.var)
        self.state: dict[str, str] = {}
        self.scope: dict[str, list[str]] | None = None
        """Which ids of each kind `make_records` looked at; None means all."""
        self.files_of: tuple[str, ...] | None = None
        """The only publications whose full texts are looked for; None means all."""
        self._globals: dict[str, Any] = {}
        self._assets: dict[str, bytes] = {}
        self._template_digests: dict[str, bytes] = {}
        self._renderer: Renderer | None = None

    @property
    def snapshot_id(self) -> str:
        """What tells this snapshot from one that was made anew from the source."""
        return _meta(self.reader, "id")

    @property
    def sync_number(self) -> str:
        """The last sync that landed in the snapshot."""
        row = self.reader.connection.execute("SELECT max(number) FROM syncs").fetchone()
        return str(row[0])

    @property
    def registrations_id(self) -> str:
        """What tells these registrations from others."""
        return digest_of_registrations(self.registrations)

    @property
    def is_demo(self) -> bool:
        """Whether the records are the fictional consortium's."""
        row = self.reader.connection.execute(
            "SELECT is_demo FROM syncs ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return bool(row and row[0])

    def globals(self, generator: RecordsGenerator) -> dict[str, Any]:
        """Return what every template may show, `asset` included."""
        self._globals, self._assets = shown_by_every_page(
            self.settings,
            generator.settings,
            theme=Path(generator.theme),
            navigation=navigation(self.reader),
            footer=footer_links(generator.context),
            is_demo=self.is_demo,
        )
        prepare_environment(generator.env, self._globals)
        return {
            **self._globals,
            "audience": "public",
            "root": "",
            "asset": lambda name: self._globals["assets"][name],
        }

    def make_records(self, generator: RecordsGenerator, news: list[dict[str, Any]]) -> None:
        """Make the pages of all records, and of all listings, that are new or changed."""
        shared = self._shared(generator, news)
        records_ready.send(generator, shared=shared)
        self._publish_assets()
        self.report.full_texts = self.bring_full_texts()
        self.state = self._digests(generator)
        scope = self.scope = self._scope()
        self.report.full = scope is None
        self._count_edition(full=scope is None)
        setup = Setup(
            conf=str(self.settings.pelicanconf),
            overrides={"OUTPUT_PATH": str(self.trees["public"])},
            trees={audience: str(path) for audience, path in self.trees.items()},
            snapshot=str(self.settings.snapshot),
            cache=str(self.cache.path),
            base_manifest=str(self._base_manifest() or ""),
            today=self.today,
            shared=shared,
            digests=self._template_digests,
        )
        if self.stage:
            self.stage.begin(full=scope is None)
        renderer = Renderer(setup, generator.env)
        many = (self._records() if scope is None else sum(map(len, scope.values()))) > _FEW
        executor = processes(self.settings) if many and is_worth_it(self.settings) else None
        try:
            self._make_all(setup, renderer, executor, scope)
        finally:
            if executor:
                executor.shutdown(cancel_futures=True)
        place_full_texts(
            self.settings,
            self.reader,
            self.trees,
            self.stage,
            None if scope is None else scope["publication"],
        )
        self._renderer = renderer

    def bring_full_texts(self) -> FullTextReport:
        """Look for full texts that came, changed or went."""
        return bring_full_texts(
            self.settings, self.reader.connection, self.cache.connection, self.files_of
        )

    def render_gone(self, url: str) -> bytes:
        """Return the page that says of a URL that its record is no longer published."""
        assert self._renderer is not None
        return self._renderer.gone_page(url)

    def render_staff(self, url: str, template: str, values: dict[str, Any]) -> bytes:
        """Return a page for staff."""
        assert self._renderer is not None
        return self._renderer.staff_page(url, template, values)

    def render_for(self, audience: str, url: str, template: str, values: dict[str, Any]) -> bytes:
        """Return a page for an audience that is made when all others are there."""
        assert self._renderer is not None
        return self._renderer.page_for(audience, url, template, values)

    def render_public(self, url: str, template: str, values: dict[str, Any]) -> bytes:
        """Return a page for everyone that is made when all others are there."""
        assert self._renderer is not None
        return self._renderer.public_page(url, template, values)

    def write_server_files(self) -> None:
        """Write what the web server needs beside pages: its error pages, security.txt."""
        assert self._renderer is not None
        assert self.stage is not None
        self.stage.add(
            write_file(
                self.stage.root,
                f"{ERRORS_FOLDER}/{page.status}.html",
                self._renderer.error_page(page),
            )
            for page in ERROR_PAGES
        )
        if self.settings.security_contact:
            text = security_text(self.settings, self.today, self._globals["DEFAULT_LANG"])
            self.stage.add([write_file(self.stage.root, SECURITY_FILE, text.encode())])

    def gone_key(self) -> bytes:
        """Return a digest of all that a page for a gone record depends on, beside its URL."""
        assert self._renderer is not None
        return self._renderer.gone_key()

    def withdrawn_urls(self) -> list[str]:
        """Return the URLs of tombstones: pages of withdrawn works, to be answered 410."""
        rows = self.reader.connection.execute(
            "SELECT id, access, public_on FROM publications WHERE status = ? ORDER BY id",
            (Status.WITHDRAWN,),
        )
        return [
            ROOT["members" if effective(r[1], r[2], self.today) == Access.MEMBERS else "public"]
            + record_url("publication", r[0])
            for r in rows
        ]

    def counts(self) -> dict[str, int]:
        """Return how many works, people … the site shows, and how many files were written."""
        visible = dict(
            self.reader.connection.execute("SELECT visible, count(*) FROM cache.works GROUP BY 1")
        )
        return {
            "publications": visible.get(2, 0),
            "members_publications": visible.get(1, 0),
            "written": self.report.written,
            "removed": self.report.removed,
            **{f"documents_{k}": n for k, n in self.report.documents.items()},
        }

    def service_file(self) -> bytes:
        """Return what the service is told of this release, as the bytes of its file."""
        assert self.stage is not None
        return service_file(self.settings, self.reader, self._globals, self.stage.number)

    def close(self) -> None:
        """Close the snapshot and the cache."""
        if self._renderer is not None:
            self._renderer.close()
        self.reader.connection.close()
        self.cache.close()

    def _make_all(
        self,
        setup: Setup,
        renderer: Renderer,
        executor: Executor | None,
        scope: dict[str, list[str]] | None,
    ) -> None:
        documents = self._documents(scope is None)
        self.cache.begin(anew=scope is None)
        if scope is None:
            self.postings.forget_all()
        for kind in ("work", *KINDS_AFTER):
            if kind == "publication":
                self._find_related(scope)
                # From here on pages show list items, so readers must see them all.
                self.cache.commit(self.state)
            of = "publication" if kind == "work" else kind
            ids = everything(self.reader, of) if scope is None else scope[of]
            for batch in self._batches(setup, renderer, executor, kind, ids):
                self._take(batch, documents, incremental=scope is not None)
        if documents:
            self.report.documents = documents.finish()

    def _batches(
        self,
        setup: Setup,
        renderer: Renderer,
        executor: Executor | None,
        kind: str,
        ids: list[str],
    ) -> Iterator[Batch]:
        """Yield the batches of one kind, a few of them under way at any time."""
        size = _BATCH.get(kind, _BATCH_OTHERS)
        done = 0
        ahead = 2 * at_once(executor, self.settings) if executor else 0
        waiting: deque[Future[Batch]] = deque()
        for batch_ids in in_batches(ids, size):
            if executor is None or kind == "section":
                batch = renderer.make(kind, batch_ids)
                done += len(batch_ids)
                self.progress(kind, done, len(ids))
                yield batch
                continue
            waiting.append(executor.submit(make_batch, setup, kind, batch_ids))
            if len(waiting) > ahead:
                batch = waiting.popleft().result()
                done += len(batch.ids)
                self.progress(kind, done, len(ids))
                yield batch
        while waiting:
            batch = waiting.popleft().result()
            done += len(batch.ids)
            self.progress(kind, done, len(ids))
            yield batch

    def _take(self, batch: Batch, documents: Documents | None, *, incremental: bool) -> None:
        if batch.kind == "work":
            if incremental:
                self.postings.note(batch.ids)
            self.cache.put(batch.works)
            if incremental:
                exist = {work[0] for work in batch.works}
                self.cache.forget(one for one in batch.ids if one not in exist)
        else:
            self._take_pages(batch, incremental=incremental)
            if batch.related:
                with self.cache.connection:
                    self.cache.connection.execute("BEGIN")
                    self.postings.put(batch.related, anew=not incremental)
        if documents and batch.kind in _DOCUMENTED:
            for one in batch.ids:
                document_id = f"{_DOCUMENTED[batch.kind]}:{one}"
                documents.put(document_id, batch.documents.get(document_id, []))

    def _take_pages(self, batch: Batch, *, incremental: bool) -> None:
        self.report.looked_at += len(batch.ids)
        self.report.written += len(batch.written)
        self.report.pages += sum(entry.path.endswith(".html") for entry in batch.written)
        self.report.unchanged += len(batch.unchanged)
        if not self.stage:
            return
        self.stage.add(batch.written)
        self.stage.keep(batch.unchanged)
        if incremental:
            made = {entry.path for entry in (*batch.written, *batch.unchanged)}
            gone = [
                path
                for one in batch.ids
                for path in owned_paths(self.stage, batch.kind, one)
                if path not in made
            ]
            self.stage.remove(gone)
            self.report.removed += len(gone)

    def _find_related(self, scope: dict[str, list[str]] | None) -> None:
        """Add to what is looked at the works whose related works may be others now."""
        if "related" in self.settings.left_out:
            return
        if scope is None:
            self.postings.make_all()
            return
        self.postings.remember(self.postings.update(), int(self.state["related"]))
        base = self.stage.base if self.stage else None
        before = int(base.info()["state"]["related"]) if base else 0
        affected = self.postings.affected_since(before)
        scope["publication"] = sorted(affected.union(scope["publication"]))

    def _count_edition(self, *, full: bool) -> None:
        """Number this build among those that wrote to the cache.

        A build that comes to nothing has changed the cache all the same. The next one looks
        at all that this one had to look at, or, where this was a full one, at everything.
        """
        base = self.stage.base if self.stage else None
        cached = self.cache.state()
        before = int(base.info().get("state", {}).get("related", 0)) if base else 0
        edition = max(int(cached.get("related", 0)), before) + 1
        floor = edition if full else int(cached["related_floor"])
        self.state |= {"related": str(edition), "related_floor": str(max(floor, edition - KEPT))}

    def _documents(self, full: bool) -> Documents | None:
        if not self.stage:
            return None
        base = self.stage.base.root / "documents" if self.stage.base and not full else None
        documents = Documents(self.stage.root / "documents", buckets_for(self._records()), base)
        if base and not documents.from_base:
            raise BuildError("The documents of the last release are divided otherwise.")
        return documents

    def _records(self) -> int:
        return sum(
            self.reader.connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in _DOCUMENTED_TABLES
        )

    def _scope(self) -> dict[str, list[str]] | None:
        """Return the ids of each kind to look at, or None to look at all."""
        base = self.stage.base if self.stage else None
        if self.full or base is None:
            return None
        info = base.info()
        before = info.get("state", {})
        stable = ("snapshot", "globals", "templates", "engine", "buckets")
        cached = self.cache.state()
        if any(before.get(name) != self.state[name] for name in stable):
            return None
        if any(
            cached.get(name) != self.state[name] for name in ("snapshot", "engine", "templates")
        ):
            return None
        if int(before.get("related", -1)) < int(cached.get("related_floor", 0)):
            return None
        return look_at(
            self.reader,
            since_sync=min(int(before["sync"]), int(cached["sync"])),
            since_day=min(before["today"], cached["today"]),
            files_changed=self.report.full_texts.changed,
            registrations_changed=before.get("registrations") != self.state["registrations"],
        )

    def _digests(self, generator: RecordsGenerator) -> dict[str, str]:
        """Return what, beside records, decides how the pages look."""
        self._template_digests = template_digests(generator.env)
        digest = hashlib.blake2b(b"".join(self._template_digests.values()), digest_size=16)
        return {
            "snapshot": self.snapshot_id,
            "sync": self.sync_number,
            "today": self.today,
            "registrations": self.registrations_id,
            "globals": digest_of_values([self._globals, self.settings.left_out]).hex(),
            "templates": digest.hexdigest(),
            "engine": engine_digest(),
            "buckets": str(buckets_for(self._records())),
        }

    def _shared(self, generator: RecordsGenerator, news: list[dict[str, Any]]) -> dict[str, Any]:
        finished = self.reader.connection.execute(
            "SELECT finished FROM syncs ORDER BY number DESC LIMIT 1"
        ).fetchone()
        return {
            "globals": self._globals,
            "siteurl": self.settings.siteurl,
            "left_out": self.settings.left_out,
            "registrations": self.registrations,
            "heading": generator.settings.get("SITESUBTITLE") or self.settings.sitename,
            "lead": generator.settings.get("SITE_LEAD", ""),
            "news": [n | {"date": iso_in_words(n["date"])} for n in news[:4]],
            "data_date": finished["finished"][:10] if finished else self.today,
        }

    def _publish_assets(self) -> None:
        for name, content in self._assets.items():
            target = self.trees["public"] / "assets" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.unlink(missing_ok=True)
            target.write_bytes(content)

    def _base_manifest(self) -> Path | None:
        if self.stage and self.stage.base:
            return self.stage.base.root / "manifest.sqlite"
        return None


KINDS_AFTER = (
    "publication",
    "person",
    "venue",
    "venue_year",
    "year",
    "topic",
    "project",
    "theme",
    "programme",
    "institution",
    "event",
    "letter",
    "section",
)


def preview_build(pelican_settings: dict[str, Any]) -> Build:
    """Return the build of a plain `pelican` run: every page, into Pelican's own output.

    The members' tree stands beside the public one, in `MEMBERS_OUTPUT_PATH`.
    """
    site = Path(pelican_settings["PATH"]).parent
    settings = read_settings(site if (site / "pelicanconf.py").is_file() else Path.cwd())
    public = Path(pelican_settings["OUTPUT_PATH"])
    members = Path(pelican_settings.get("MEMBERS_OUTPUT_PATH") or public.parent / "members")
    return Build(
        settings,
        stage=None,
        trees={"public": public, "members": members},
        today=today_in(pelican_settings["TIMEZONE"]),
        full=True,
    )


def today_in(timezone: str) -> date:
    """Return the date at the site's place."""
    return datetime.now(ZoneInfo(timezone)).date()


def _meta(reader: Reader, name: str) -> str:
    row = reader.connection.execute(
        "SELECT value FROM main.meta WHERE name = ?", (name,)
    ).fetchone()
    return str(row[0]) if row else ""
