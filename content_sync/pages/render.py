"""Turn records into files: the part of the build that runs on every core.

A task names a kind and some ids; it reads what they need, renders their pages and writes
those whose key is new. A page's key is a digest of exactly the values that its template is
given, of the template with all that it extends or includes, and of the settings, so a page
is made again when, and only when, something that it shows has changed.
"""

from __future__ import annotations

import gc
import hashlib
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from jinja2 import meta
from markupsafe import Markup

from content_sync.errors import BuildError
from content_sync.pages import documents
from content_sync.pages.access import ROOT
from content_sync.pages.cache import WorkRow
from content_sync.pages.charts import bar_chart
from content_sync.pages.compiled import PageContext, kept_code, use_quick_code, whole_template
from content_sync.pages.errors import ErrorPage
from content_sync.pages.events import make_events
from content_sync.pages.institutions import make_institutions
from content_sync.pages.model import File, Made, Page, Work
from content_sync.pages.people import make_letters, make_people
from content_sync.pages.projects import make_projects
from content_sync.pages.publications import make_publications
from content_sync.pages.reader import Reader, open_reader
from content_sync.pages.sections import make_sections
from content_sync.pages.signals import page_context
from content_sync.pages.themes import make_programmes, make_themes
from content_sync.pages.topics import make_topics
from content_sync.pages.venues import make_venue_years, make_venues
from content_sync.pages.works import make_works
from content_sync.pages.years import make_years
from content_sync.release.manifest import Entry, Manifest
from content_sync.urls import page_file

if TYPE_CHECKING:
    from jinja2 import Environment, Template

Maker = Callable[[Reader, list[str]], Iterator[tuple[str, Made]]]

MAKERS: dict[str, Maker] = {
    "work": make_works,
    "publication": make_publications,
    "person": make_people,
    "venue": make_venues,
    "venue_year": make_venue_years,
    "year": make_years,
    "topic": make_topics,
    "project": make_projects,
    "theme": make_themes,
    "programme": make_programmes,
    "institution": make_institutions,
    "event": make_events,
    "letter": make_letters,
    "section": make_sections,
}
"""Works come first: all pages show list items that they leave in the cache."""


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a process needs to make pages: small, and the same for every task."""

    conf: str
    """Path of pelicanconf.py."""
    overrides: dict[str, str]
    """Settings of Pelican that this build changes."""
    trees: dict[str, str]
    """Folder of each audience's tree."""
    snapshot: str
    cache: str
    base_manifest: str
    """Manifest of the release that is built upon; empty if there is none."""
    today: str
    shared: dict[str, Any]
    """What pages may show beside records; `globals` is shown by every page."""
    digests: dict[str, bytes] = field(default_factory=dict)
    """Digests of templates that are known already."""


@dataclass(slots=True)
class Batch:
    """What a task made."""

    kind: str
    ids: list[str]
    written: list[Entry] = field(default_factory=list)
    unchanged: list[Entry] = field(default_factory=list)
    works: list[WorkRow] = field(default_factory=list)
    related: list[tuple[str, list[tuple[str, int]]]] = field(default_factory=list)
    documents: dict[str, list[tuple[str, bytes]]] = field(default_factory=dict)
    """Document id → lines for each audience."""


class Renderer:
    """Templates and snapshot in one process."""

    def __init__(self, setup: Setup, environment: Environment | None = None) -> None:
        if environment is None:
            from content_sync.pages.generator import make_environment

            environment = make_environment(setup.conf, setup.overrides)
        self.setup = setup
        self.environment = environment
        prepare_environment(environment, setup.shared["globals"])
        environment.bytecode_cache = kept_code(
            Path(setup.cache).with_name("templates"), _digest_of_options(environment, setup.conf)
        )
        self.reader = open_reader(Path(setup.snapshot), Path(setup.cache), setup.today)
        self.reader.shared = setup.shared
        self.reader.file = self._read
        self.base = Manifest(Path(setup.base_manifest)) if setup.base_manifest else None
        self._common = digest_of_values(setup.shared["globals"])
        self._digests = dict(setup.digests)
        self._template_digests = TemplateDigests(environment)
        self._template_globals = dict(environment.globals)
        self._templates: dict[str, Template] = {}
        self._folders: set[str] = set()

    def close(self) -> None:
        """Close the snapshot, the cache and the last release's manifest."""
        self.reader.connection.close()
        if self.base is not None:
            self.base.close()

    def make(self, kind: str, ids: list[str]) -> Batch:
        """Make the pages of these ids of one kind."""
        batch = Batch(kind, ids)
        for one, made in MAKERS[kind](self.reader, ids):
            for page in made.pages:
                self._make_page(page, batch)
            for file in made.files:
                self._make_file(file, batch)
            if made.related is not None:
                batch.related.append((one, made.related))
            if made.work:
                batch.works.append(self._work_row(made.work))
            for audience, document in made.documents:
                batch.documents.setdefault(document["id"], []).append(
                    (audience, documents.encode(document))
                )
        return batch

    def gone_page(self, url: str) -> bytes:
        """Return the page that stands where a record is no longer published."""
        audience = "members" if url.startswith("/members/") else "public"
        context = {
            "audience": audience,
            "root": ROOT[audience],
            "canonical": url,
            "section": "",
            "title": "No longer published",
            "description": "",
            "noindex": True,
            "pub": None,
            "gone": {"url": url},
        }
        return self._render("tombstone.html", context).encode()

    def staff_page(self, url: str, template: str, values: dict[str, Any]) -> bytes:
        """Return a page for staff; links in its header lead to the members' pages."""
        base = {
            "audience": "staff",
            "root": ROOT["members"],
            "canonical": f"/staff{url}",
            "section": "",
            "description": "",
            "noindex": True,
        }
        return self._render(template, base | values).encode()

    def public_page(self, url: str, template: str, values: dict[str, Any]) -> bytes:
        """Return a page for everyone."""
        return self.page_for("public", url, template, values)

    def page_for(self, audience: str, url: str, template: str, values: dict[str, Any]) -> bytes:
        """Return a page that stands beside those of the records."""
        base = {"audience": audience, "root": ROOT[audience], "canonical": url, "section": ""}
        return self._render(
            template, base | {"description": "", "noindex": False} | values
        ).encode()

    def gone_key(self) -> bytes:
        """Return a digest of template and settings of such pages."""
        return self._key("tombstone.html", {})

    def error_page(self, page: ErrorPage) -> bytes:
        """Return what the web server shows when it answers with an error."""
        context = {
            "audience": "public",
            "root": "",
            "canonical": "",
            "section": "",
            "title": page.heading,
            "description": "",
            "noindex": True,
            "error": page._asdict(),
        }
        return self._render("error.html", context).encode()

    def _make_page(self, page: Page, batch: Batch) -> None:
        context = page.context
        context["audience"] = page.audience
        context["root"] = ROOT[page.audience]
        context["canonical"] = page.url
        self._announce(page.template, context)
        file = page_file(page.url)
        path = f"{page.audience}/{file}"
        key = self._key(page.template, context)
        before = self.base.get(path) if self.base else None
        if before is not None and before.key == key:
            batch.unchanged.append(before)
            return
        html = self._render(page.template, context).encode()
        self._write(page.audience, file, html)
        records = "\n".join(dict.fromkeys(page.records))
        batch.written.append(Entry(path, len(html), hashlib.sha256(html).digest(), key, records))

    def _make_file(self, file: File, batch: Batch) -> None:
        path = f"{file.audience}/{file.path}"
        content = file.content
        key = file.key
        if not key:
            assert isinstance(content, bytes)
            key = hashlib.sha256(content).digest()
        before = self.base.get(path) if self.base else None
        if before is not None and before.key == key:
            batch.unchanged.append(before)
            return
        if not isinstance(content, bytes):
            content = content()
        self._write(file.audience, file.path, content)
        sha256 = hashlib.sha256(content).digest()
        batch.written.append(Entry(path, len(content), sha256, key, file.record))

    def _render(self, name: str, values: dict[str, Any]) -> str:
        """Render a template, with its globals merged once for all pages.

        Template.render looks each global up anew for each page, which costs as much as a
        short page itself.
        """
        try:
            template = self._templates.get(name)
            if template is None:
                made_of = self._digest(name) + self._common
                template = whole_template(self.environment, name, made_of.hex())
                self._templates[name] = template
            context = PageContext(self.environment, self._template_globals, template, values)
            return "".join(template.root_render_func(context))
        except Exception as error:
            page = values.get("canonical") or "a list item"
            raise BuildError(
                f"The template {name} fails on {page}: {type(error).__name__}: {error}"
            ) from error

    def _announce(self, template: str, context: dict[str, Any]) -> None:
        if page_context.receivers:
            page_context.send(template, context=context)

    def _key(self, template: str, context: dict[str, Any]) -> bytes:
        # SHA-256, which processors know, takes half the time of BLAKE2.
        made_of = b"".join((self._digest(template), self._common, orjson.dumps(context)))
        return hashlib.sha256(made_of).digest()[:16]

    def _digest(self, template: str) -> bytes:
        if template not in self._digests:
            self._digests[template] = self._template_digests.of(template)
        return self._digests[template]

    def _read(self, audience: str, file: str) -> bytes:
        """Return a file that this build wrote, or that it takes over from the last release."""
        folders = [self.setup.trees[audience]]
        if self.setup.base_manifest:
            folders.append(f"{os.path.dirname(self.setup.base_manifest)}/{audience}")  # noqa: PTH120
        for folder in folders:
            try:
                descriptor = os.open(f"{folder}/{file}", os.O_RDONLY | _BINARY)
            except FileNotFoundError:
                continue
            try:
                return os.read(descriptor, os.fstat(descriptor).st_size)
            finally:
                os.close(descriptor)
        raise BuildError(f"The file {audience}/{file} is missing.", hint="Build with --full.")

    def _write(self, audience: str, file: str, content: bytes) -> None:
        target = f"{self.setup.trees[audience]}/{file}"
        folder = target.rpartition("/")[0]
        if folder not in self._folders:
            os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - many files, little time
            self._folders.add(folder)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _BINARY, 0o644)
        try:
            view = memoryview(content)
            while view:
                view = view[os.write(descriptor, view) :]
        finally:
            os.close(descriptor)

    def _work_row(self, work: Work) -> WorkRow:
        public = self._render("card.html", {"w": work.item}) if work.visible == 2 else ""
        members = None
        if work.members_item is not None and work.visible:
            members = self._render("card.html", {"w": work.members_item})
        return (
            work.id,
            work.year,
            work.date,
            work.venue_id,
            "\t".join(work.in_print),
            work.visible,
            public,
            members,
            work.sort_title,
            int(bool(work.features)),
            "\n".join(work.features),
        )


def _digest_of_options(environment: Environment, conf: str) -> str:
    """Return a digest of what decides, beside its text, what code a template becomes."""
    digest = hashlib.blake2b(Path(conf).read_bytes(), digest_size=16)
    for names in (environment.filters, environment.tests, environment.extensions):
        digest.update("\n".join(sorted(names)).encode())
    return digest.hexdigest()


_PART = re.compile(r"""\bpart\(['"]([^'"]+)['"]""")
_BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends


def prepare_environment(environment: Environment, values: dict[str, Any]) -> None:
    """Give all templates, Pelican's own included, what every page may show."""
    assets = values["assets"]

    def asset(name: str) -> str:
        if name not in assets:
            raise KeyError(f"the theme has no asset {name!r}")
        return str(assets[name])

    use_quick_code(environment)
    environment.globals.update({k: v for k, v in values.items() if k != "assets"})
    environment.globals["asset"] = asset
    environment.globals["part"] = part_of(environment)
    environment.globals["bar_chart"] = bar_chart


def part_of(environment: Environment) -> Callable[..., Markup]:
    """Return the function that renders a part that many pages share, once for all of them.

    `part('_header.html', root, section)` depends on nothing but its arguments and what every
    page shows.
    """
    rendered: dict[tuple[object, ...], Markup] = {}

    def part(name: str, root: str = "", section: str = "", find: bool = True) -> Markup:
        # Pelican's own pages belong to no audience and no section.
        key = name, str(root), str(section), find
        if key not in rendered:
            template = environment.get_template(name)
            html = template.render(root=key[1], section=key[2], find=find)
            rendered[key] = Markup(html)  # noqa: S704 - escaped by its template
        return rendered[key]

    return part


def digest_of_values(values: Any) -> bytes:
    """Return a digest of anything that JSON can hold."""
    content = orjson.dumps(values, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.blake2b(content, digest_size=16).digest()


class TemplateDigests:
    """Digests of templates with all that they extend, include or import; each is read once."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._read: dict[str, tuple[bytes, list[str]]] = {}

    def of(self, name: str) -> bytes:
        """Return the digest of a template."""
        digest = hashlib.blake2b(digest_size=16)
        seen: set[str] = set()
        waiting = [name]
        while waiting:
            template = waiting.pop()
            if template in seen:
                continue
            seen.add(template)
            content, referenced = self._look_into(template)
            digest.update(content)
            waiting.extend(referenced)
        return digest.digest()

    def _look_into(self, template: str) -> tuple[bytes, list[str]]:
        if template not in self._read:
            assert self._environment.loader is not None
            source, _, _ = self._environment.loader.get_source(self._environment, template)
            names = _referenced(self._environment, source)
            self._read[template] = (f"{template}\0{source}\0".encode(), names)
        return self._read[template]


def _referenced(environment: Environment, source: str) -> list[str]:
    if source not in _references:
        tree = environment.parse(source)
        names = {one for one in meta.find_referenced_templates(tree) if one}
        _references[source] = sorted(names.union(_PART.findall(source)))
    return _references[source]


_references: dict[str, list[str]] = {}
"""Text of a template → the templates that it names."""


class _Kept(threading.local):
    """The renderer of a worker's thread: its connections belong to the thread alone."""

    renderer: Renderer | None = None


_kept = _Kept()


def make_batch(setup: Setup, kind: str, ids: list[str]) -> Batch:
    """Run one task in a worker process, which keeps its renderer between tasks."""
    renderer = _kept.renderer
    if renderer is None or renderer.setup != setup:
        renderer = _kept.renderer = Renderer(setup)
        # What lives until the process ends need not be looked at again and again, and
        # pages leave little behind that only a collection could find.
        gc.freeze()
        gc.set_threshold(50_000, 50, 100)
    return renderer.make(kind, ids)
