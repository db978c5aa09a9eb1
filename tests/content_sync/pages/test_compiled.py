"""The quicker code of templates says what Jinja's own says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import DictLoader, Environment, UndefinedError
from markupsafe import Markup

from content_sync.pages import compiled
from content_sync.pages.compiled import kept_code, use_quick_code, whole_template

_MACROS = """
{% macro sum(a, b=2, c='none') %}<i>{{ a }}{{ b }}{{ c }}</i>{% endmacro %}
{% macro any() %}{{ varargs|join('+') }}{{ kwargs.x }}{% endmacro %}
{% macro framed(title) %}[{{ title }}: {{ caller() }}]{% endmacro %}"""
_HEAD = "{% from 'm' import sum, any, framed %}"
TEMPLATES = {
    "settings": "<title>{{ SITENAME }} & {{ SITEURL }}{% if FLAG %} on{% endif %}</title>",
    "own setting": "{% set SITENAME = 'own <b>' %}{{ SITENAME }}{{ SITEURL }}",
    "loop over a setting's name": "{% for FLAG in [1, 2] %}{{ FLAG }}{% endfor %}",
    "setting in a test": "{{ SITENAME is defined }}{{ MISSING is defined }}{{ MISSING }}",
    "absent keys": "{{ d.no }}{% if d.no %}x{% endif %}{% for x in d.no %}x{% endfor %}{{ d.a }}",
    "keys and methods": "{{ d['items'] }}{{ d.get('a') }}{{ f.items()|length }}",
    "attributes": "{{ text.upper() }}{{ d.list.count(1) }}",
    "if without else": "{{ 'yes' if d.a }}{{ 'no' if d.no }}{{ ('no' if d.no) ~ 'x' }}",
    "loops": "{% for x in d.list %}{{ x }}{{ ', ' if not loop.last }}{{ loop.index0 }}{% endfor %}",
    "formats": "{{ '{:,}'.format(d.n) }}{{ '<{}>'.format(text) }}",
    "macros": _HEAD + "{{ sum(1) }}{{ sum(1, text) }}{{ sum(1, 2, 3) }}{{ sum(a=1) }}{{ sum() }}",
    "macros with names": _HEAD
    + "{{ sum(1, c=text) }}{{ sum(c=3, a=text) }}"
    + "{% for x in d.list %}{{ sum(x, b=x) }}{% endfor %}",
    "a template's own macro": "{% macro own(a, b=text) %}{{ a }}{{ b }}{% endmacro %}"
    "{{ own(1) }}{{ own(1, b='<') }}",
    "macros of another kind": _HEAD
    + "{{ any(1, 2, x=text) }}{% call framed('<t>') %}{{ text }}{% endcall %}",
    "functions": "{{ shout(text) }}{{ shout(text, loud=true) }}{{ trusted('<b>') }}",
}
WRONG = {
    "too many": _HEAD + "{{ sum(1, 2, 3, 4) }}",
    "unknown": _HEAD + "{{ sum(1, z=2) }}",
    "twice": _HEAD + "{{ sum(1, a=2) }}",
}
VALUES: dict[str, Any] = {
    "text": "<&>",
    "f": {"x": 1},
    "d": {"a": "1 < 2", "items": "own", "list": [1, 2, 1], "n": 1234567},
    "shout": lambda text, loud=False: text + ("!!" if loud else "!"),
    "trusted": Markup,
}
SETTINGS = {"SITENAME": "Us & <them>", "SITEURL": "https://us.example", "FLAG": True}


def _environment() -> Environment:
    environment = Environment(
        loader=DictLoader({**TEMPLATES, "m": _MACROS, **WRONG}),
        autoescape=True,
        trim_blocks=True,
    )
    environment.globals.update(SETTINGS)
    return environment


@pytest.mark.parametrize("name", TEMPLATES)
def test_quick_code_says_what_jinja_says(name: str) -> None:
    expected = _environment().get_template(name).render(VALUES)
    quick = _environment()
    use_quick_code(quick)
    assert whole_template(quick, name).render(VALUES) == expected


@pytest.mark.parametrize(
    ("source", "error"),
    [("{{ nobody(1) }}", UndefinedError), ("{{ d.no.further }}", UndefinedError)],
)
def test_what_is_not_there_is_an_error_as_in_jinja(source: str, error: type[Exception]) -> None:
    for quick in (False, True):
        environment = Environment(loader=DictLoader({"t": source}), autoescape=True)
        if quick:
            use_quick_code(environment)
        template = whole_template(environment, "t") if quick else environment.get_template("t")
        with pytest.raises(error):
            template.render(VALUES)


@pytest.mark.parametrize(
    ("name", "said"),
    [("too many", "not more than 3"), ("unknown", "no keyword argument 'z'"), ("twice", "a'")],
)
def test_a_macro_that_gets_what_it_does_not_take_is_an_error(name: str, said: str) -> None:
    quick = _environment()
    use_quick_code(quick)
    with pytest.raises(TypeError, match=said):
        whole_template(quick, name).render(VALUES)


class Recompiled(Exception):
    """A template was compiled that should have been kept."""


def _fresh(folder: Path, *, may_compile: bool = True, salt: str = "", **texts: str) -> Environment:
    """An environment as in a process of its own, which has the folder and no memory."""
    compiled._in_memory.clear()
    environment = _environment()
    environment.loader = DictLoader({**TEMPLATES, "m": _MACROS, **texts})
    use_quick_code(environment)
    environment.bytecode_cache = kept_code(folder, salt)
    if not may_compile:

        def refuse(*arguments: object, **options: object) -> None:
            raise Recompiled

        environment.compile = refuse  # type: ignore[assignment, method-assign]
    return environment


@pytest.mark.parametrize("name", TEMPLATES)
def test_another_process_takes_the_code_that_was_kept(name: str, tmp_path: Path) -> None:
    first = whole_template(_fresh(tmp_path), name, "digest").render(VALUES)
    again = whole_template(_fresh(tmp_path, may_compile=False), name, "digest")
    assert again.render(VALUES) == first


def test_code_is_made_anew_when_what_it_is_made_of_changed(tmp_path: Path) -> None:
    whole_template(_fresh(tmp_path), "settings", "digest")
    with pytest.raises(Recompiled):
        whole_template(_fresh(tmp_path, may_compile=False), "settings", "another digest")
    with pytest.raises(Recompiled):
        whole_template(_fresh(tmp_path, may_compile=False, salt="x"), "settings", "digest")
    other = _fresh(tmp_path, settings="other text")
    assert whole_template(other, "settings", "another digest").render(VALUES) == "other text"
    assert other.get_template("settings").render(VALUES) == "other text"


@pytest.mark.parametrize("damage", [b"", b"not code", None])
def test_damaged_code_is_made_anew(tmp_path: Path, damage: bytes | None) -> None:
    expected = whole_template(_fresh(tmp_path), "macros", "digest").render(VALUES)
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        file.write_bytes(content[: len(content) // 2] if damage is None else damage)
    assert whole_template(_fresh(tmp_path), "macros", "digest").render(VALUES) == expected
    again = _fresh(tmp_path, may_compile=False)
    assert whole_template(again, "macros", "digest").render(VALUES) == expected
