"""Libraries of random words and queries over them."""

from __future__ import annotations

import random
from typing import Any

TOPICS = "copper drift electromigration noise lattice stress voids bamboo grain lines".split()
NAMES = ["Ada Byron", "Mio Kazahaya", "Ylva Sørgaard", "Tomasz Brzękowicz", "Wei Chen", "Chen Wei"]


def library(size: int, seed: int = 1) -> list[dict[str, Any]]:
    """Works of random words, some rare, some misspelt, with all facets."""
    chance = random.Random(seed)
    rare = [f"{a}{b}" for a in ("alu", "ferro", "nano", "poly") for b in ("mer", "tron", "lith")]
    return [
        {
            "id": f"publication:w{n}",
            "type": "publication",
            "url": f"/publications/w{n}/",
            "title": " ".join(chance.choices(TOPICS, k=chance.randint(1, 7)))
            + (" " + chance.choice(rare) if n % 3 == 0 else ""),
            "people": chance.sample(NAMES, chance.randint(0, 3)),
            "venue": f"Symposium {chance.randint(1, 4)}",
            "year": chance.randint(1990, 2024),
            "abstract": " ".join(chance.choices(TOPICS + rare, k=chance.randint(0, 60))),
            "kind": chance.choice(["report", "article"]),
            "topics": chance.sample(["Metals", "Films"], chance.randint(0, 2)),
            "status": "retracted" if n % 50 == 0 else "current",
        }
        for n in range(size)
    ]


def queries(count: int) -> list[str]:
    chance = random.Random(7)
    words = [*TOPICS, "nanotron", "polymer", "ferrolith", "byron", "chen", "wei", "sørgaard"]
    forms = [
        lambda: " ".join(chance.choices(words, k=chance.randint(1, 9))),
        lambda: chance.choice(words)[:-1] + " " + chance.choice(words),
        lambda: '"' + " ".join(chance.choices(TOPICS, k=2)) + '" ' + chance.choice(words),
        lambda: f"title:{chance.choice(TOPICS)} {chance.choice(words)}",
        lambda: f"author:{chance.choice(['byron', 'wei', 'mio'])} {chance.choice(TOPICS)}",
        lambda: f"{chance.choice(TOPICS)} -{chance.choice(TOPICS)} year:2000..2010",
        lambda: f"{chance.choice(NAMES)} {chance.choice(TOPICS)}",
        lambda: f"drifting {chance.choice(words)[:4]}",
        lambda: f"venue:symposium kind:report {chance.choice(words)}",
    ]
    return [chance.choice(forms)() for _ in range(count)]
