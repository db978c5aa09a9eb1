"""One run's dealings with the source: connections come and go, the run goes on.

A transient fault ends the connection and with it the consistent read. The session connects
anew after a growing pause and has the piece of work done again; `generation` then tells the
reader that what was read before belongs to another moment.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_attempt,
    wait_exponential,
    wait_random,
)

from content_sync.settings import Settings
from content_sync.source.connect import Dialect, Limits, Source, connect, disconnect
from content_sync.source.faults import ReadFailed
from content_sync.source.statements import StatementLog

_LONGEST_PAUSE = 30
_T = TypeVar("_T")


class Session:
    """The source of `settings`, for as long as a run needs it.

    `notes` are what a report should say; `tell` is given a line for each new attempt.
    """

    def __init__(
        self, settings: Settings, name: str, *, tell: Callable[[str], None] | None = None
    ) -> None:
        self.settings = settings
        self.name = name
        self.log = StatementLog()
        self.notes: list[str] = []
        self.generation = 0
        self._tell = tell or (lambda line: None)
        self.opened: Source | None = None
        """The connection that was opened last; it may be closed."""
        self._source: Source | None = None

    @property
    def source(self) -> Source:
        """The open source; connects if need be. Raises SourceError."""
        if self._source is None:
            self.run("the connection", lambda source: None)
        assert self._source is not None
        return self._source

    def run(self, what: str, work: Callable[[Source], _T]) -> _T:
        """Return what `work` makes of the open source; do it again after a transient fault.

        `work` must be such that it can be begun anew. Raises what is not transient at once,
        and the last fault when all attempts are used up.
        """
        attempts = Retrying(
            stop=stop_after_attempt(1 + self.settings.source_retries),
            wait=wait_exponential(multiplier=1, max=_LONGEST_PAUSE) + wait_random(0, 0.5),
            retry=retry_if_exception(_is_transient),
            before_sleep=lambda state: self._note(what, state),
            reraise=True,
        )
        result: _T = attempts(self._attempt, work)
        return result

    def finish(self) -> None:
        """Ask what only an open connection can tell, for the report."""
        if self._source is not None and self._source.dialect is Dialect.SQL_SERVER:
            from content_sync.source.sql_server import lock_waits

            source = self._source
            try:
                self.log.lock_waits = lock_waits(source)
            except source.errors:
                self.log.lock_waits = "The connection was lost before the server could be asked."
        elif self._source is not None:
            self.log.lock_waits = f"{self._source.dialect} does not tell."

    def close(self) -> None:
        """Close the connection; `source` would open another."""
        if self._source is not None:
            disconnect(self._source)
            self._source = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _attempt(self, work: Callable[[Source], _T]) -> _T:
        if self._source is None:
            self._connect()
        assert self._source is not None
        try:
            return work(self._source)
        except ReadFailed as error:
            if error.fault.is_transient:
                self.close()
            raise

    def _connect(self) -> None:
        self._source = connect(
            self.name, self.settings.site, limits=Limits.of(self.settings), log=self.log
        )
        self.opened = self._source
        self.generation += 1
        self.log.isolation = self._source.isolation
        self.notes += [note for note in self._source.notes if note not in self.notes]

    def _note(self, what: str, state: RetryCallState) -> None:
        error = state.outcome.exception() if state.outcome else None
        pause = state.next_action.sleep if state.next_action else 0
        assert isinstance(error, ReadFailed)
        left = f"{state.attempt_number} of {self.settings.source_retries}"
        line = f"{what}: {error.fault.kind} [{error.fault.state or 'no SQLSTATE'}]"
        self.log.faults.append(line)
        self._tell(f"{line}; trying again in {pause:.0f} s ({left}).")


def _is_transient(error: BaseException) -> bool:
    return isinstance(error, ReadFailed) and error.fault.is_transient
