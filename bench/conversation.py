"""The conversation: stops, thinking pauses, an open loudspeaker, and the times of a live session.

`python -m bench conversation` measures all, `python -m bench.conversation stops pauses` only those sections.
"""

from __future__ import annotations

import sys
from importlib import import_module

SECTIONS = ("stops", "pauses", "alone", "live")


def main(names: tuple[str, ...] = SECTIONS) -> bool:
    """Measure and write each section; true when all keep their limits."""
    kept = [import_module(f"bench.conversation_{name}").main() for name in names]
    return all(kept)


if __name__ == "__main__":
    sys.exit(0 if main(tuple(sys.argv[1:]) or SECTIONS) else 1)
