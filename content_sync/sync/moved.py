"""Ask whether the source is still as the snapshot has it, without reading more than keys."""

from __future__ import annotations

from content_sync.records import VIEWS
from content_sync.settings import Settings
from content_sync.source.connect import Source
from content_sync.source.session import Session
from content_sync.sync import staging
from content_sync.sync.files import remove
from content_sync.sync.keys import stage_keys
from content_sync.sync.run import Run
from content_sync.sync.update import open_with_staging


def count_moved(settings: Settings, session: Session, run: Run) -> int:
    """Return how many rows of the source are new, changed or gone since the snapshot."""
    work = settings.var / "moved.sqlite"
    connection = open_with_staging(settings.snapshot, work)
    try:
        connection.execute("BEGIN")
        total = 0
        for view in VIEWS:
            staging.create_work_tables(connection, view)
            found = run.found.get(view.name)
            if found is None:
                continue

            def stage(source: Source, found=found) -> None:  # type: ignore[no-untyped-def]
                connection.execute(f"DELETE FROM staging.keys_{found.view.name}")
                stage_keys(connection, source, found, lambda rows: None)

            session.run(f"web.{view.name}", stage)
            staging.choose_wanted(connection, view, everything=False)
            total += staging.count_wanted_and_gone(connection, view)
        connection.execute("ROLLBACK")
        return total
    finally:
        connection.close()
        remove(work)
