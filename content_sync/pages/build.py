"""Lead a build: decide which pages to look at, have them made, collect what came of it."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from content_sync import __version__
from content_sync.errors import BuildError
from content_sync.pages.access import ROOT, effective
from content_sync.pages.assets import read_assets
from content_sync.pages.cache import Cache
from content_sync.pages.documents import Documents, buckets_for
from content_sync.pages.errors import ERROR_PAGES
from content_sync.pages.errors import FOLDER as ERRORS_FOLDER
from content_sync.pages.full_texts import FullTextReport, bring_full_texts, link, stored_file
from content_sync.pages.postings import KEPT, Postings
from content_sync.pages.reader import Reader, in_batches, open_reader
from content_sync.pages.registrations import digest_of_registrations, read_registrations
from content_sync.pages.render import (
    Batch,
    Renderer,
    Setup,
    TemplateDigests,
    digest_of_values,
    make_batch,
    prepare_environment,
)
from content_sync.pages.scope import everything, look_at, owned_paths
from content_sync.pages.sections import navigation
from content_sync.pages.security import SECURITY_FILE, security_text
from content_sync.pages.service_file import service_file
from content_sync.pages.signals import records_ready
from content_sync.pages.wording import iso_in_words
from content_sync.processes import at_once, is_worth_it, processes
from content_sync.records import Access, Status
from content_sync.release.manifest import Entry
from content_sync.release.stage import Stage, write_file
from content_sync.settings import Settings, read_settings
from content_sync.urls import PLURALS, record_url, slug

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
_FEW = 1500
"""Up to so many records are rendered here: starting processes would take longer."""

SITE_CSS = "css/site.css"
LOGOS = ("images/logo.svg", "images/logo.png", "images/logo.webp")
"""What a site may add below its own theme/static/: colours, and the logo in its header."""

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
        theme = Path(generator.theme)
        client = Path(__file__).resolve().parent.parent.parent / "search" / "client"
        own = self.settings.site / "theme" / "static"
        assets, self._assets = read_assets(theme / "static", client, own)
        self._globals = {
            **plain_settings(generator.settings),
            "nav": navigation(self.reader),
            "is_demo": self.is_demo,
            "footer_links": _footer_links(generator.context),
            "assets": assets,
            "site_css": SITE_CSS in assets,
            "site_logo": next((name for name in LOGOS if name in assets), ""),
            "generator": f"Nightpress {__version__}",
            "sign_in_url": self.settings.sign_in_url,
        }
        prepare_environment(generator.env, self._globals)
        return {
            **self._globals,
            "audience": "public",
            "root": "",
            "asset": lambda name: assets[name],
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
        self._place_full_texts(None if scope is None else scope["publication"])
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
        templates = TemplateDigests(generator.env)
        self._template_digests = {name: templates.of(name) for name in TEMPLATES}
        digest = hashlib.blake2b(b"".join(self._template_digests.values()), digest_size=16)
        return {
            "snapshot": self.snapshot_id,
            "sync": self.sync_number,
            "today": self.today,
            "registrations": self.registrations_id,
            "globals": digest_of_values([self._globals, self.settings.left_out]).hex(),
            "templates": digest.hexdigest(),
            "engine": _engine_digest(),
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

    def _place_full_texts(self, ids: Iterable[str] | None) -> None:
        """Link each full text into the tree of those who may read it."""
        sql = """
            SELECT p.id, p.access, p.public_on, p.status, f.ending, f.size, f.sha256
            FROM publications p LEFT JOIN cache.full_texts f ON f.publication_id = p.id"""
        if ids is None:
            rows = self.reader.connection.execute(f"{sql} WHERE f.size IS NOT NULL ORDER BY p.id")
        else:
            rows = iter(self.reader.rows(f"{sql} WHERE p.id IN :ids ORDER BY p.id", list(ids)))  # type: ignore[assignment]
        entries: list[Entry] = []
        shown: set[str] = set()
        for row in rows:
            if row["size"] is None or row["status"] == Status.WITHDRAWN:
                continue
            access = effective(row["access"], row["public_on"], self.today)
            audience = "public" if access == Access.PUBLIC else "members"
            name = slug(row["id"])
            file = f"publications/{name}/{name}{row['ending']}"
            link(stored_file(self.settings, row["sha256"]), self.trees[audience] / file)
            path = f"{audience}/{file}"
            shown.add(path)
            entries.append(
                Entry(path, row["size"], row["sha256"], row["sha256"], f"publication:{row['id']}")
            )
        if not self.stage:
            return
        self.stage.add(entries)
        if ids is not None:
            gone = [
                path
                for one in ids
                for path in owned_paths(self.stage, "full_text", one)
                if path not in shown
            ]
            self.stage.remove(gone)

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

TEMPLATES = (
    "card.html",
    "publication.html",
    "tombstone.html",
    "person.html",
    "venue.html",
    "listing.html",
    "topic.html",
    "project.html",
    "theme.html",
    "institution.html",
    "event.html",
    "entries.html",
    "publications.html",
    "home.html",
    "search.html",
    "opensearch.xml",
    "not_found.html",
    "error.html",
    "changes.html",
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


def _footer_links(context: dict[str, Any]) -> list[dict[str, str]]:
    """Return the links below every page: news, search and the pages of prose."""
    links = [("News", "/news/")] if context.get("articles") else []
    links += [(str(page.title), f"/{page.url}") for page in context.get("pages", ())]
    links += [("What changed", "/changes/"), ("Data", "/data/")]
    return [{"title": title, "url": url} for title, url in [*links, ("Search", "/search/")]]


_OWN_BUSINESS = ("PATH", "THEME", "PLUGINS", "NIGHTPRESS", "CACHE", "LOG", "PORT", "BIND")


def plain_settings(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that templates can show: plain values that name no folder."""
    return {
        name: value
        for name, value in settings.items()
        if name.isupper() and not any(part in name for part in _OWN_BUSINESS) and _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and _is_plain(v) for k, v in value.items())
    return value is None or isinstance(value, str | int | float | bool)


def _engine_digest() -> str:
    """Return a digest of the code that makes pages: another version makes other pages."""
    digest = hashlib.blake2b(digest_size=16)
    package = Path(__file__).parent.parent
    for file in sorted(
        f for part in ("citations", "machines", "pages") for f in (package / part).glob("*.py")
    ):
        digest.update(file.read_bytes())
    return digest.hexdigest()
