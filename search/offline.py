"""An index for pages that are opened from a folder, which may load scripts and nothing else.

Every file of the index becomes a script beside it that hands over the same bytes in base64.
"""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path


def write_scripts(index: Path, target: Path) -> int:
    """Write each file of an index as a script below `target`; return their bytes.

    `t/1.bin` becomes `t/1.bin.js`. The search page asks for them when its own address
    begins with `file:`.
    """
    written = 0
    for file in sorted(path for path in index.rglob("*") if path.is_file()):
        script = target / file.relative_to(index).with_name(f"{file.name}.js")
        script.parent.mkdir(parents=True, exist_ok=True)
        content = b'nightpressFile("' + b64encode(file.read_bytes()) + b'");\n'
        script.write_bytes(content)
        written += len(content)
    return written
