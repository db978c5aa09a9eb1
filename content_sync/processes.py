"""Where heavy steps run: processes of this machine, behind the standard interface."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Executor, ProcessPoolExecutor

from content_sync.settings import Settings


def processes(settings: Settings) -> Executor:
    """Return an executor with one process for each worker that the settings allow.

    Processes start afresh and not as forks on every system, so that all behave as on
    Windows; steps hand them plain values and never open files.
    """
    return ProcessPoolExecutor(
        settings.worker_count, mp_context=multiprocessing.get_context("spawn")
    )
