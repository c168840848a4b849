"""What all benchmarks share: their sections in docs/benchmarks.md, tables, and the machine they ran on."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from pathlib import Path

PAGE = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"

_HEADER = "# Benchmarks\n\nWritten by `make bench`. Absolute times are this machine's; read the ratios.\n"


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Put `text` between `<!-- name -->` and `<!-- /name -->` in `page`, in place of what was there."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    section = f"{begin}\n## {name.replace('-', ' ').capitalize()}\n\n{text.strip()}\n{end}"
    old = page.read_text(encoding="utf-8") if page.exists() else _HEADER
    place = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    new, n = place.subn(lambda _: section, old, count=1)
    page.parent.mkdir(exist_ok=True)
    page.write_text(new if n else f"{old.rstrip()}\n\n{section}\n", encoding="utf-8")


def table(headers: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; all columns but the first are aligned to the right."""
    lines = [headers, ["---", *("---:" for _ in headers[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def machine() -> str:
    """The machine in one sentence: processor, cores, system and Python."""
    return (
        f"{_processor()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}."
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()
