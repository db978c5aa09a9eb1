"""What can go wrong with the service, for the person who runs it and for its readers."""

from __future__ import annotations


class ServiceError(Exception):
    """A failure to tell in one line: what went wrong, where, and what to do next."""

    exit_code = 1


class ServiceConfigurationError(ServiceError):
    """The settings cannot be used as they are."""

    exit_code = 2


class Unavailable(ServiceError):
    """Something that a request needs does not answer: told as 503, to be tried again."""

    def __init__(self, message: str, *, retry_after: int = 30) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds after which a second try makes sense."""
