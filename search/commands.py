"""The commands of search: `nightpress bench search`."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def bench() -> None:
    """Measure on data of one's own.

    Example: nightpress bench search --documents docs.jsonl --queries queries.tsv --run out.run
    """


@bench.command("search")
@click.option(
    "--documents",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="JSON Lines: id, title, authors, year, venue, abstract; all but the id may be missing.",
)
@click.option(
    "--queries",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A query on each line: its id, a tab, its words.",
)
@click.option(
    "--run",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the TREC run: up to 1,000 documents for each query.",
)
@click.option(
    "--engine",
    type=click.Choice(["client", "whoosh"]),
    default="client",
    show_default=True,
    help="The browser's own code under Node.js, or what 'nightpress search' does.",
)
def bench_search(documents: Path, queries: Path, run: Path, engine: str) -> None:
    """Index documents, answer queries, write a TREC run.

    The index is thrown away. Retrieval tools such as trec_eval score the run.

    Example: nightpress bench search --documents docs.jsonl --queries queries.tsv --run out.run
    """
    import multiprocessing
    import os
    from concurrent.futures import ProcessPoolExecutor

    from content_sync.errors import NightpressError
    from search.trial import try_collection

    context = multiprocessing.get_context("spawn")
    try:
        with ProcessPoolExecutor(min(os.cpu_count() or 1, 4), mp_context=context) as executor:
            count = try_collection(
                documents,
                queries,
                run,
                engine=engine,
                executor=executor,
                say=lambda words: click.echo(words, err=True),
            )
    except NightpressError as error:
        click.echo(f"nightpress: {error}", err=True)
        raise SystemExit(error.exit_code) from error
    click.echo(f"{count:,} queries answered: {run}")
