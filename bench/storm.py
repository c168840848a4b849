"""Kills processes while they save into one prefix store, and looks for wrong reads and for lost entries.

`python -m bench.storm FOLDER KILLS` prints the outcome as JSON. The children are forked from a process that
has no threads, so two hundred take seconds.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import select
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from agent.cache.entry import StoreLimits
from agent.cache.keys import Seed, pack
from agent.cache.store import PrefixStore

SEED = Seed("weights", "none", "template", "float16", "storm").digest()
LIMITS = StoreLimits(disk_bytes=4 << 30, free_bytes=0)
_LONGEST_LIFE_S = 0.04


@dataclass(frozen=True)
class Outcome:
    """`saved` entries were acknowledged before the kill; `torn` kills came while a file was being written."""

    kills: int
    saved: int
    torn: int
    wrong_reads: int
    lost: int


def content_of(tokens: Sequence[int]) -> bytes:
    """What the entry for `tokens` must hold: 16 to 272 KB that depend on every token."""
    digest = hashlib.sha256(pack(tokens)).digest()
    return digest * (512 + 32 * digest[0])


def prompt(number: int, length: int) -> tuple[int, ...]:
    """A prompt of its own for each `number`; the longer ones begin with the shorter."""
    return tuple(random.Random(number).randrange(150_000) for _ in range(length))


def storm(folder: Path, kills: int) -> Outcome:
    """Fork a saver, kill it at a random moment, look at the store; `kills` times."""
    chance = random.Random(20_000 + kills)
    saved: list[tuple[int, ...]] = []
    torn = wrong_reads = lost = 0
    for number in range(kills):
        acknowledged = _killed(folder, number, chance.uniform(0.0, _LONGEST_LIFE_S))
        torn += any(folder.glob("tmp-*"))
        saved += acknowledged
        store = PrefixStore(folder, LIMITS)
        if number % 10 == 0:
            store.sweep()
        older = chance.sample(saved, min(5, len(saved)))
        for tokens in [*acknowledged, *older, *(prompt(number, length) for length in (100, 130, 160))]:
            found = store.find(SEED, tokens)
            wrong_reads += found is not None and found.path.read_bytes() != content_of(found.tokens)
            lost += tokens in saved and (found is None or found.n_shared < len(tokens))
        store.close()
    store = PrefixStore(folder, LIMITS)
    for tokens in saved:
        found = store.find(SEED, tokens)
        wrong_reads += found is not None and found.path.read_bytes() != content_of(found.tokens)
        lost += found is None or found.n_shared < len(tokens)
    lost += len(store.troubles())
    store.close()
    return Outcome(kills, len(saved), torn, wrong_reads, lost)


def _killed(folder: Path, number: int, life_s: float) -> list[tuple[int, ...]]:
    """The prompts that a saver acknowledged before it was killed, `life_s` after its first word."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _save_for_ever(folder, number, writing)
    os.close(writing)
    select.select([reading], [], [], 10.0)  # it has begun
    select.select([], [], [], life_s)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading) as words:
        lines = [line for line in words.read().splitlines(keepends=True) if line.endswith("\n")]
    return [prompt(*map(int, line.split())) for line in lines if not line.startswith("begun")]


def _save_for_ever(folder: Path, number: int, writing: int) -> None:
    os.write(writing, b"begun\n")
    store = PrefixStore(folder, LIMITS)
    length = 100
    while True:
        tokens = prompt(number, length)
        content = content_of(tokens)
        pending = store.begin(SEED, tokens, ".kv", len(content))
        assert pending is not None
        with pending.path.open("wb") as file:
            for start in range(0, len(content), 16_384):
                file.write(content[start : start + 16_384])
        store.commit(pending)
        os.write(writing, f"{number} {length}\n".encode())
        length += 30


if __name__ == "__main__":
    print(json.dumps(asdict(storm(Path(sys.argv[1]), int(sys.argv[2])))))
