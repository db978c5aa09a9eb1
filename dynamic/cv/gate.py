"""What keeps a CV out of the book once it is out: a lock, a list, and the removal itself.

The nightly job writes the CV books and this service takes CVs out of them. Both hold
`var/cvbook.lock` while they change a book that is served, and both obey the list
`var/cvbook-denied.txt`, which is only ever added to: neither a job that read the records
earlier nor a restored database brings back what stands there.
`content_sync/cvbook/` reads and writes the same files by the same rules (docs/cv.md).

A line of the list: time, `withdrawn`, `blocked` or `allowed`, SHA-256 of the CV's id, and
the company's slug or `*`. The last line about a CV and a company counts; `withdrawn` is
for ever.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dynamic.database import now
from dynamic.errors import Unavailable

if os.name == "nt":
    import msvcrt
else:
    import fcntl

LOCK = "cvbook.lock"
DENIED = "cvbook-denied.txt"
MARK = ".nightpress-cvbook"
"""A file in the folder of every CV book, so that one that is not mounted is not taken for
an empty one."""

_PATIENCE = 20
_here = threading.Lock()


@contextlib.contextmanager
def locked(var: Path) -> Iterator[None]:
    """Hold the lock of the CV books; raises Unavailable if the job keeps it for too long."""
    var.mkdir(parents=True, exist_ok=True)
    if not _here.acquire(timeout=_PATIENCE):
        raise _busy()
    try:
        descriptor = os.open(var / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            _seize(descriptor)
            yield
        finally:
            os.close(descriptor)
    finally:
        _here.release()


def deny(var: Path, cv_id: str, words: list[tuple[str, str]]) -> None:
    """Add lines to the list, (word, company) each, and return when they are on the disk."""
    if not words:
        return
    digest = digest_of(cv_id)
    time_ = now().isoformat()
    lines = "".join(f"{time_} {word} {digest} {company}\n" for word, company in words)
    descriptor = os.open(var / DENIED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, lines.encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_denied(var: Path) -> dict[tuple[str, str], str]:
    """Return the last word on each CV (digest of its id) and company."""
    words: dict[tuple[str, str], str] = {}
    with contextlib.suppress(FileNotFoundError):
        for line in (var / DENIED).read_text(encoding="utf-8").splitlines():
            parts = line.split(" ")
            if len(parts) != 4:
                continue  # a line that a power cut left half-written
            _, word, digest, company = parts
            words[digest, company] = word
    return words


def digest_of(cv_id: str) -> str:
    """Return what stands for a CV in the list."""
    return hashlib.sha256(cv_id.encode()).hexdigest()


def take_out(
    books: tuple[Path, ...], cv_id: str, may_read: Callable[[str], bool], *, must_exist: bool
) -> list[str]:
    """Remove a CV from the books of all companies that may not read it, on every node.

    Returns the names of those companies in whose book it stood. The caller holds the lock.
    With `must_exist` a folder that holds no book is one that is not mounted.
    Raises OSError if a book cannot be reached or written; it may then stand in some still.
    """
    was_in: set[str] = set()
    for book in books:
        if not (book / MARK).is_file():
            if must_exist or (book.is_dir() and any(book.iterdir())):
                raise FileNotFoundError(f"{book.name} is not a CV book, or is not mounted")
            continue  # the first night is still to come
        for company in sorted(book.iterdir()):
            is_company = company.is_dir() and not company.name.startswith(".")
            if is_company and not may_read(company.name) and remove(company.resolve(), cv_id):
                was_in.add(company.name)
        _forget_pool(book, cv_id)
    return sorted(was_in)


def remove(folder: Path, cv_id: str) -> bool:
    """Remove a CV from one company's book: its pages, its file, its place in every list.

    A list that held nothing else goes with it, and so do the links to it: the name of a
    topic may say who it was.
    """
    found = False
    empty = []
    # Lists first: no link to what is already gone.
    pages = [page for page in sorted(folder.rglob("*.html")) if page.parent.name != cv_id]
    for page in pages:
        content = page.read_bytes()
        without = _cut(content, f"cv:{cv_id}")
        if without == content:
            continue
        found = True
        if page.parent != folder and b"<!--cv:" not in without:
            empty.append(page)
        else:
            _replace(page, without)
    for page in empty:
        path = page.parent.relative_to(folder).as_posix()
        shutil.rmtree(page.parent)
        for other in pages:
            if other not in empty:
                content = other.read_bytes()
                without = _cut(content, f"for:{path}")
                if without != content:
                    _replace(other, without)
    if (folder / cv_id).is_dir():
        found = True
        shutil.rmtree(folder / cv_id)
    if found:
        _sync(folder)
    return found


def _cut(content: bytes, mark: str) -> bytes:
    """Return a page without what stands between all marks of this name."""
    begin, end = f"<!--{mark}-->".encode(), f"<!--/{mark}-->".encode()
    while begin in content:
        before, _, rest = content.partition(begin)
        _, _, after = rest.partition(end)
        content = before + after
    return content


def _replace(page: Path, content: bytes) -> None:
    # Never in place: the page may be read now, or share its bytes with another book.
    part = page.with_name(f".{page.name}.part")
    with part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, page)  # noqa: PTH105


def _forget_pool(book: Path, cv_id: str) -> None:
    """Remove the file that the job keeps so as not to fetch it anew each night."""
    for file in (book / ".files").glob(f"{cv_id}.*"):
        file.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _seize(descriptor: int) -> None:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            if os.name == "nt":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > end:
                raise _busy() from None
            time.sleep(0.02)
        else:
            return


def _busy() -> Unavailable:
    return Unavailable(
        "The CV books are being written just now. Nothing has changed. Please try again in a"
        " minute.",
        retry_after=60,
    )
