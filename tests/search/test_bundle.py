"""Modules become classic scripts that do the same."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from search import minified as minifier
from search.bundle import ENTRIES, bundle, bundle_client
from search.errors import SearchError
from search.minified import minified

CLIENT = Path(__file__).parents[2] / "search" / "client"
needs_node = pytest.mark.needs("node")


def run(script: str) -> str:
    done = subprocess.run(
        ["node", "--input-type=commonjs"],
        input=script,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout


def write(folder: Path, **modules: str) -> Path:
    for name, text in modules.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")
    return folder / "main.js"


@needs_node
def test_a_script_does_what_its_modules_do(tmp_path: Path) -> None:
    entry = write(
        tmp_path,
        main="""/* import { no } from "./no.js"; */
import { twice as double, LIMIT } from "./numbers.js";
import {
  Box,
} from "./box.js";
import "./effect.js";
const twice = 7; // the name means something else in another module
async function go() {
  console.log(double(twice), LIMIT, new Box(twice).value, typeof globalThis.effect);
}
go();
""",
        numbers="""export const LIMIT = 40;
const hidden = (n) => n * 2;
export function twice(n) { return hidden(n); }
""",
        box="""import { twice } from "./numbers.js";
class Box { constructor(n) { this.value = twice(n) } }
export { Box };
""",
        effect="globalThis.effect = 1;\n",
    )
    assert run(bundle(entry)) == "14 40 14 number\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('import { a } from "./missing.js";', "cannot be read"),
        ('import { a } from "./main.js";', "import each other"),
        ('import all from "./other.js";', "cannot be bundled"),
        ('import * as all from "./other.js";', "cannot be bundled"),
        ("export default 1;", "cannot be bundled"),
        ("export let a = 1;", "cannot be bundled"),
        ('export { a } from "./other.js";', "cannot be bundled"),
        ('const a = await import("./other.js");', "cannot be bundled"),
        ("const here = import.meta.url;", "cannot be bundled"),
    ],
)
def test_what_is_not_understood_is_refused(tmp_path: Path, text: str, words: str) -> None:
    entry = write(tmp_path, main=text, other="export const a = 1;")
    with pytest.raises(SearchError, match=words):
        bundle(entry)


@needs_node
def test_comments_go_and_meaning_stays() -> None:
    source = r"""
// one
const a = "// no comment", b = '/* nor this */'; /* two
lines */ const c = `a // ${ `in /* ${1 + +1} */` } b`
const d = a.replace(/[/"'`]\/+/g, "/") + (8 / 4 / 2)
let e = 1
++e
const f = [/a/, /=/].map((r) => /x/.test("x") && r.source)
const g = { get: () => 1, return: 2 }
const h = typeof /x/
function i() { return /* hm */ "i" }
label: for (const x of [1]) { continue label }
const j = e - -1, k = e + + 1
console.log(JSON.stringify([a, b, c, d, e, f, g.get() / 1, g.return, h, i(), j, k, "é\u2028"]))
"""
    small = minified({"a.js": source})["a.js"]
    assert len(small) < len(source)
    assert "two" not in small
    assert "// one" not in small
    assert run(small) == run(source)


@needs_node
def test_the_clients_scripts_are_sound_and_small(tmp_path: Path) -> None:
    scripts = minified(bundle_client(CLIENT))
    assert set(scripts) == set(ENTRIES)
    for name, script in scripts.items():
        (tmp_path / name).write_text(script, encoding="utf-8")
        subprocess.run(["node", "--check", str(tmp_path / name)], check=True)
        assert "/**" not in script
        assert "eval(" not in script
        assert "innerHTML" not in script
    assert minified(bundle_client(CLIENT)) == scripts


def test_a_script_that_is_none_is_refused() -> None:
    with pytest.raises(SearchError, match=r"bad\.js"):
        minified({"good.js": "const a = 1;", "bad.js": "const = ;"})


SILENT = "import time; time.sleep(60)"
HALF = "import sys; open(sys.argv[1], 'w').write('{\"a.js\": \"const')"


@pytest.mark.parametrize("program", [SILENT, HALF])
def test_a_night_goes_on_without_a_minifier_that_does_not_answer(
    program: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setattr(minifier, "_PROGRAM", program)
    monkeypatch.setattr(minifier, "_PATIENCE", 0.5)
    sources = {"a.js": "const a =  1;"}
    assert minified(sources, tmp_path / "kept.json") == sources
    assert "does not answer" in caplog.text
    assert not (tmp_path / "kept.json").exists()


def test_the_minifier_is_asked_again_only_when_a_script_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.json"
    small = minified({"a.js": "const kept =  1;"}, kept)
    monkeypatch.setattr(minifier, "_PATIENCE", 0)
    minifier._remembered.clear()
    assert minified({"a.js": "const kept =  1;"}, kept) == small
    assert minified({"a.js": "const kept =  2;"}, kept) == {"a.js": "const kept =  2;"}
    minifier._remembered.clear()
    kept.write_bytes(kept.read_bytes()[:-9])
    assert minified({"a.js": "const kept =  1;"}, kept) == {"a.js": "const kept =  1;"}


def test_a_stylesheet_says_the_same_in_fewer_bytes() -> None:
    sheet = "/* a */ p { margin: 0px ; color : #ffffff }\n@media print { p { color: black } }\n"
    assert minified({"a.css": sheet, "a.txt": " x "}) == {
        "a.css": "p{margin:0;color:#fff}@media print{p{color:#000}}",
        "a.txt": " x ",
    }


def test_only_what_is_known_reaches_the_page_as_text() -> None:
    for module in CLIENT.glob("*.js"):
        text = module.read_text("utf-8")
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
            assert sink not in text, f"{module.name} uses {sink}"
