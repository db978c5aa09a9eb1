"""Where heavy steps run: processes of this machine, or workers of many machines.

Both stand behind the standard interface, and steps hand them plain values and paths. What
they write is the same bytes wherever they run.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from typing import Any, TypeVar

from content_sync.errors import ConfigurationError
from content_sync.settings import Settings

_T = TypeVar("_T")


def processes(settings: Settings) -> Executor:
    """Return an executor with one process for each worker that the settings allow.

    With NIGHTPRESS_CLUSTER it is the cluster's, whose workers must reach the site's folder
    under the same path. Raises ConfigurationError when there is none at that address.

    Processes start afresh and not as forks on every system, so that all behave as on
    Windows.
    """
    if settings.cluster:
        return Cluster(settings.cluster)
    return ProcessPoolExecutor(
        settings.worker_count, mp_context=multiprocessing.get_context("spawn")
    )


def is_worth_it(settings: Settings) -> bool:
    """Tell whether a heavy step gains from other processes at all."""
    return bool(settings.cluster) or settings.worker_count > 1


def at_once(executor: Executor, settings: Settings) -> int:
    """Return how many tasks an executor works on at the same time."""
    return executor.slots if isinstance(executor, Cluster) else settings.worker_count


class Cluster(Executor):
    """The workers of a dask.distributed cluster.

    A worker that is lost costs the tasks that it had: they are done again by another one.
    A task that took three workers with it is given up, and the step fails.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise ConfigurationError(
                "NIGHTPRESS_CLUSTER is set, and dask.distributed is not installed.",
                hint="Install it here and on all workers: pip install 'nightpress[cluster]'.",
            ) from None
        try:
            self._client = Client(address, timeout=_PATIENCE, set_as_default=False)
            self._client.wait_for_workers(1, timeout=_PATIENCE)
        except (OSError, ValueError) as error:  # TimeoutError is an OSError
            raise ConfigurationError(
                f"NIGHTPRESS_CLUSTER: no cluster with workers answers at {address}: {error}.",
                hint="Start one with 'dask scheduler', and 'dask worker' on each machine.",
            ) from error
        self._executor = self._client.get_executor(pure=False, retries=_RETRIES)

    @property
    def slots(self) -> int:
        """How many tasks the workers that are there now do at the same time."""
        threads: dict[str, int] = self._client.nthreads()
        return max(1, sum(threads.values()))

    def submit(self, fn: Callable[..., _T], /, *args: Any, **kwargs: Any) -> Future[_T]:
        future: Future[_T] = self._executor.submit(fn, *args, **kwargs)
        return future

    def map(
        self,
        fn: Callable[..., _T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
    ) -> Iterator[_T]:
        results: Iterator[_T] = self._executor.map(fn, *map(list, iterables), timeout=timeout)
        return results

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait and not cancel_futures)
        self._client.close()


_PATIENCE = 30
_RETRIES = 2
"""How often a task that failed with its worker's surroundings is tried again."""
