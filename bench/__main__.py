"""`python -m bench [NAME ...]`: run the benchmarks; the status is 1 when one misses what is wanted."""

from __future__ import annotations

import sys
from importlib import import_module

NAMES = (
    *("transcription", "identifiers", "biasing", "speech", "narration", "voices", "enrolment"),
    *("session", "conversation", "agent_tasks", "agent_intents", "cache", "decode", "undo", "soak"),
)


def main() -> int:
    """Run those that the command line names, or all."""
    names = sys.argv[1:] or NAMES
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        sys.exit(f"There is no benchmark {unknown[0]}. There are: {', '.join(NAMES)}.")
    missed: list[str] = []
    for name in names:
        print(f"bench: {name}", flush=True)
        if not import_module(f"bench.{name}").main():
            missed.append(name)
    for name in missed:
        print(f"bench: {name} misses what is wanted; see docs/benchmarks.md")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
