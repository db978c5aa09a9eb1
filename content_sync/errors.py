"""What can go wrong for the user, with the exit code that says how.

Raised deep, caught only in `cli.py`, which prints one line. Anything else that is raised
is a defect of Nightpress and keeps its traceback.
"""

from __future__ import annotations


class NightpressError(Exception):
    """A failure to tell in one line: what went wrong and where, and what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        message = super().__str__()
        return f"{message} {self.hint}" if self.hint else message


class ConfigurationError(NightpressError):
    """The settings cannot be used as they are."""

    exit_code = 2


class SourceError(NightpressError):
    """The source database cannot be reached or does not keep the contract."""


class BuildError(NightpressError):
    """The pages cannot be built."""


class ReleaseError(NightpressError):
    """A release cannot be staged, verified, switched or taken back."""


class GuardRefused(NightpressError):
    """A guard stopped the run: nothing is broken, but a person must look first."""

    exit_code = 3
