"""Where Nightpress meets Pelican: the only module that imports it.

Pelican keeps the theme, the settings, prose, news, feeds and static files; this generator
adds the pages of records, streamed out of the snapshot, to the same output.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pelican import Pelican, signals
from pelican.generators import Generator
from pelican.log import FatalLogger, console
from pelican.settings import read_settings as read_pelican_settings

from content_sync.errors import BuildError, ConfigurationError
from content_sync.pages.build import Build, preview_build

if TYPE_CHECKING:
    from jinja2 import Environment

_BUILD = "NIGHTPRESS_BUILD"


class RecordsGenerator(Generator):
    """Adds a page for each record, and the listings, to what Pelican generates."""

    build: Build

    def generate_context(self) -> None:
        """Give every template, prose included, the navigation and the names of assets."""
        if not self.settings["JINJA_ENVIRONMENT"].get("autoescape"):
            raise ConfigurationError(
                "JINJA_ENVIRONMENT in pelicanconf.py switches autoescape off.",
                hint="Records are hostile input: set 'autoescape': True.",
            )
        if not self.context.get("articles"):
            # Pelican would write an empty feed that carries the time of the build.
            self.settings["FEED_ALL_ATOM"] = None
        self.build = self.settings.get(_BUILD) or preview_build(self.settings)
        self.context.update(self.build.globals(self))
        self.context["part"] = self.env.globals["part"]

    def generate_output(self, writer: Any) -> None:
        """Write the pages of all records that are new or changed."""
        news = sorted(self.context.get("articles", ()), key=lambda a: a.date, reverse=True)
        self.build.make_records(
            self,
            [
                {
                    "title": str(article.title),
                    "url": f"/{article.url}",
                    "date": article.date.date().isoformat(),
                }
                for article in news
            ],
        )


def connect() -> None:
    """Add the generator to Pelican's."""
    signals.get_generators.connect(_generators)


def _generators(pelican: Pelican) -> type[RecordsGenerator]:
    return RecordsGenerator


def run_pelican(conf: Path, overrides: dict[str, Any], build: Build) -> None:
    """Run Pelican once, as `pelican -s conf --fatal errors` does, for this build.

    Raises BuildError for anything that Pelican logs as an error.
    """
    settings = read_pelican(conf, {**overrides, _BUILD: build})
    console.quiet = True
    FatalLogger.fatal_lvl = logging.ERROR
    try:
        Pelican(settings).run()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        if "--fatal" not in str(error) and not str(error).startswith(("Warning", "Error")):
            raise
        raise BuildError(f"Pelican reports: {error}") from error


def run_records(conf: Path, overrides: dict[str, Any], build: Build) -> None:
    """Have the pages of records made as `run_pelican` does, and nothing of Pelican's own written.

    Prose is read, because pages name it.
    """
    pelican = Pelican(read_pelican(conf, {**overrides, _BUILD: build}))  # type: ignore[no-untyped-call]
    context = pelican.settings.copy()
    context |= {"generated_content": {}, "static_links": set(), "static_content": {}}
    context["localsiteurl"] = pelican.settings["SITEURL"]
    generators = [
        kind(
            context=context,
            settings=pelican.settings,
            path=pelican.path,
            theme=pelican.theme,
            output_path=pelican.output_path,
        )
        for kind in pelican._get_generator_classes()  # type: ignore[no-untyped-call]
    ]
    for generator in generators:
        if hasattr(generator, "generate_context"):
            generator.generate_context()
    signals.all_generators_finalized.send(generators)
    for generator in generators:
        if hasattr(generator, "refresh_metadata_intersite_links"):
            generator.refresh_metadata_intersite_links()
    for generator in generators:
        if isinstance(generator, RecordsGenerator):
            generator.generate_output(None)


def make_environment(conf: str, overrides: dict[str, str]) -> Environment:
    """Return the template environment that Pelican gives its generators.

    Other plugins register first, so their filters and signal receivers are there too.
    """
    settings = read_pelican(Path(conf), overrides)
    folder = str(Path(conf).parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)  # plugins that live beside the settings
    pelican = Pelican(settings)  # type: ignore[no-untyped-call]
    generator = RecordsGenerator(  # type: ignore[no-untyped-call]
        context=pelican.settings.copy(),
        settings=pelican.settings,
        path=pelican.path,
        theme=pelican.theme,
        output_path=pelican.output_path,
    )
    return generator.env


def read_pelican(conf: Path, overrides: dict[str, Any]) -> dict[str, Any]:
    """Return Pelican's settings; folders of own templates are relative to the site."""
    logging.getLogger("pelican").setLevel(logging.ERROR)
    try:
        settings = read_pelican_settings(str(conf), override=overrides)
    except ValueError as error:
        raise BuildError(
            f"{conf} cannot be used: {error}.", hint="Is there a folder content/ beside it?"
        ) from error
    settings["THEME_TEMPLATES_OVERRIDES"] = [
        str(conf.parent / folder) for folder in settings["THEME_TEMPLATES_OVERRIDES"]
    ]
    return settings
