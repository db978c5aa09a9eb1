"""Reports as one HTML file each, which can be mailed: in the site's look, with nothing beside.

Values are escaped; there is no script, and nothing is fetched.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **values: Any) -> str:
    """Return the page that `template`, a file beside this one, makes of `values`."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("content_sync", "standalone"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters["n"] = lambda number: f"{number:,}"
    return environment
