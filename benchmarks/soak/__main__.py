"""Run the long campaigns and write down what they found: `python -m benchmarks.soak`.

python -m benchmarks.soak                     all, at full length
python -m benchmarks.soak --only NAME         one, may be repeated
python -m benchmarks.soak --scale 0.1         a tenth of the length
"""

from __future__ import annotations

import argparse
import json
import pkgutil
import sys
import time
import traceback
from importlib import import_module

from benchmarks import soak
from benchmarks.measure import RESULTS, machine
from benchmarks.report import between, table

NAMES = sorted(m.name for m in pkgutil.iter_modules(soak.__path__) if not m.name.startswith("_"))
README = RESULTS.parent / "README.md"
KEPT = RESULTS / "soak.json"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", choices=NAMES, action="append", help="may be repeated")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full length")
    given = parser.parse_args()
    failed = [name for name in given.only or NAMES if not _run(name, given.scale)]
    if failed:
        sys.exit(f"Failed: {', '.join(failed)}")


def _run(name: str, scale: float) -> bool:
    campaign = import_module(f"benchmarks.soak.{name}")
    print(f"{name}: {campaign.TITLE} …", flush=True)
    started = time.perf_counter()
    try:
        figures = campaign.run(scale)
    except Exception:
        traceback.print_exc()
        return False
    seconds = round(time.perf_counter() - started)
    print("  " + ", ".join(f"{key} {value}" for key, value in figures.items()), flush=True)
    known = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    known[name] = {
        "title": campaign.TITLE,
        "date": time.strftime("%Y-%m-%d"),
        "scale": scale,
        "seconds": seconds,
        "figures": figures,
        "machine": machine(),
    }
    text = json.dumps(dict(sorted(known.items())), indent=1, ensure_ascii=False) + "\n"
    KEPT.write_text(text, encoding="utf-8")
    rows = [
        [
            f"`{key}`: {one['title']}",
            one["date"],
            one["scale"],
            one["seconds"],
            ", ".join(f"{word} {value}" for word, value in one["figures"].items()),
        ]
        for key, one in sorted(known.items())
    ]
    body = table(["campaign", "date", "scale", "seconds", "found"], rows)
    README.write_text(between(README.read_text(encoding="utf-8"), "soak", body), encoding="utf-8")
    return True


if __name__ == "__main__":
    main()
