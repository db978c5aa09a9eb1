"""A site with a service, for campaigns: a small release and an empty database of each kind."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.dynamic.apache_says import SECRET
from tests.dynamic.conftest import CONF
from tests.dynamic.databases import Databases
from tests.dynamic.registration.conftest import EVENT
from tests.dynamic.registration.test_crowd import FAR
from tests.dynamic.releases import Releases


@contextmanager
def service_site(
    kind: str, more: str = "", *, places: int | None = None
) -> Iterator[tuple[Path, dict[str, str]]]:
    """Yield a site's folder and the environment of its service; `more` ends its settings.

    With `places`, its event is far off, open to registration, and has so many.
    """
    with tempfile.TemporaryDirectory(prefix="nightpress-service-") as name:
        folder = Path(name)
        site = folder / "site"
        (site / "var").mkdir(parents=True)
        (site / "pelicanconf.py").write_text(CONF + more)
        release = Releases(site / "output")
        if places is not None:
            release.events[EVENT].update(FAR, capacity=places)
        release.publish()
        databases = Databases(folder)
        try:
            with databases.one(kind, folder) as url:
                yield (
                    site,
                    {
                        "NIGHTPRESS_PROXY_SECRET": SECRET,
                        "NIGHTPRESS_SECRET_KEY": "k" * 48,
                        "NIGHTPRESS_SERVICE_DATABASE": url,
                    },
                )
        finally:
            databases.close()
