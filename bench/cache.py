"""The prefix store: first token after a restart, cost of a lookup, and what kills and crowds do to it."""

from __future__ import annotations

import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from agent.cache.entry import Entry, Retention, StoreLimits
from agent.cache.index import Index
from agent.cache.keys import Seed, block_keys, pack
from agent.cache.store import PrefixStore
from bench.first_token import CONTEXT_TOKENS, MODELS
from bench.report import machine, table, write_section

MOST_OF_WARM = 1.15
LEAST_FASTER = 40.0
MOST_LOOKUP_S = 0.005
RESTARTS = 3
KILLS = 200
CROWDS = (100, 1_000, 10_000)
_SEED = Seed("weights", "none", "template", "float16", "bench").digest()
_ENTRY_TOKENS = 210
_OPENING_TOKENS = 64  # that all entries share


@dataclass(frozen=True)
class FirstToken:
    """Seconds to the first token of one engine."""

    engine: str
    cold_s: float
    warm_s: float
    restored_s: float
    with_restore_s: float
    save_s: float
    peer_s: float

    @property
    def of_warm(self) -> float:
        return self.restored_s / self.warm_s

    @property
    def faster(self) -> float:
        return self.cold_s / self.restored_s


@dataclass(frozen=True)
class Crowd:
    """A store with `entries`: tokens held, and seconds of a lookup and of a save."""

    entries: int
    tokens: int
    lookup_s: float
    slowest_lookup_s: float
    save_s: float


def main() -> bool:
    """Measure and write the section `cache`; False when a limit is missed."""
    firsts = [first_token(name) for name in MODELS]
    crowds = [crowd(n_entries) for n_entries in CROWDS]
    storm = killed()
    write_section("cache", _text(firsts, crowds, storm))
    return (
        all(first.of_warm <= MOST_OF_WARM and first.faster >= LEAST_FASTER for first in firsts)
        and crowds[-1].lookup_s <= MOST_LOOKUP_S
        and storm["wrong_reads"] == storm["lost"] == 0
    )


def first_token(engine: str) -> FirstToken:
    """Each state in a process of its own, one after another."""
    with tempfile.TemporaryDirectory() as folder:
        before = _process("bench.first_token", "kept", engine, folder)
        after = [_process("bench.first_token", "restarted", engine, folder) for _ in range(RESTARTS)]
        peer = _process("bench.first_token", "peer", engine, folder)
    return FirstToken(
        engine,
        before["cold"],
        before["warm"],
        statistics.median(run["first"] for run in after),
        statistics.median(run["first"] + run["restore"] for run in after),
        before["save"],
        peer["peer"],
    )


def crowd(n_entries: int) -> Crowd:
    """Lookups and saves in a store of `n_entries` with synthetic contents."""
    with tempfile.TemporaryDirectory() as folder:
        store = PrefixStore(Path(folder), StoreLimits(1 << 40, 0))
        store.entries()
        chance = random.Random(n_entries)
        index = Index(Path(folder) / "index.sqlite")
        with index.writing():
            for number in range(n_entries):
                tokens = _prompt(number)
                name = f"{number:032x}.kv"
                entry = Entry(0, name, len(tokens), 1, "", Retention.RECENT, float(number), None)
                index.insert(entry, _SEED, pack(tokens))
        index.close()
        lookups_s: list[float] = []
        for _ in range(500):
            prompt = (*_prompt(chance.randrange(2 * n_entries)), *range(chance.choice((0, 500, 7_000))))
            began_s = time.perf_counter()
            found = store.covers(_SEED, prompt)
            lookups_s.append(time.perf_counter() - began_s)
            assert found >= _OPENING_TOKENS
        saves_s = [_save_s(store, number) for number in range(20)]
        tokens = sum(entry.n_tokens for entry in store.entries())
        store.close()
    median_s = statistics.median(lookups_s)
    return Crowd(n_entries, tokens, median_s, max(lookups_s), statistics.median(saves_s))


def killed() -> dict[str, int]:
    with tempfile.TemporaryDirectory() as folder:
        outcome = _process("bench.storm", folder, str(KILLS))
    return {name: int(count) for name, count in outcome.items()}


def _prompt(number: int) -> tuple[int, ...]:
    chance = random.Random(number)
    own = (chance.randrange(150_000) for _ in range(_ENTRY_TOKENS - _OPENING_TOKENS))
    return (*range(_OPENING_TOKENS), *own)


def _save_s(store: PrefixStore, number: int) -> float:
    """Of an entry of 4 MB, flushed to the disk."""
    tokens = (*range(_OPENING_TOKENS), *range(500 * number, 500 * number + 150))
    began_s = time.perf_counter()
    assert block_keys(_SEED, tokens)
    pending = store.begin(_SEED, tokens, ".kv", 4 << 20)
    assert pending is not None
    pending.path.write_bytes(bytes(4 << 20))
    store.commit(pending)
    return time.perf_counter() - began_s


def _process(module: str, *arguments: str) -> dict[str, float]:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def _text(firsts: list[FirstToken], crowds: list[Crowd], storm: dict[str, int]) -> str:
    columns = ["engine", "cold", "warm", "restarted", "of warm", "faster", "with reading", "saving", "peer"]
    first_rows = [
        [
            f"{first.engine}, {MODELS[first.engine]}",
            *(f"{seconds:.2f}" for seconds in (first.cold_s, first.warm_s, first.restored_s)),
            f"{first.of_warm:.2f}",
            f"{first.faster:.0f}",
            *(f"{seconds:.2f}" for seconds in (first.with_restore_s, first.save_s, first.peer_s)),
        ]
        for first in firsts
    ]
    crowd_rows = [
        [
            str(crowd.entries),
            str(crowd.tokens),
            *(f"{1000 * seconds:.2f}" for seconds in (crowd.lookup_s, crowd.slowest_lookup_s, crowd.save_s)),
        ]
        for crowd in crowds
    ]
    return "\n\n".join(
        [
            f"`python -m bench cache`: seconds to the first token of a short request after {CONTEXT_TOKENS} "
            "tokens of code. Cold: nothing is kept. Warm: the context is in memory. Restarted: a new "
            "process, the context read back before the request came; with reading: counting that too. Peer: "
            "llama.cpp's own server and `mlx_lm.server`, just started, on the same prompt. Medians "
            f"of {RESTARTS} restarts. {machine()}",
            table(columns, first_rows),
            f"Restarted, at most {MOST_OF_WARM} of warm and at least {LEAST_FASTER:.0f} times faster than "
            "cold are wanted.",
            "Cost of the store, in milliseconds; saving is an entry of 4 MB, flushed, in the background:",
            table(["entries", "tokens", "lookup", "slowest", "save"], crowd_rows),
            f"- A lookup among {CROWDS[-1]} entries: at most {1000 * MOST_LOOKUP_S:.0f} ms are wanted.\n"
            f"- {storm['kills']} random kills during saves: {storm['wrong_reads']} wrong reads, "
            f"{storm['lost']} lost of {storm['saved']} entries that were acknowledged, {storm['torn']} files "
            "torn.",
        ]
    )
