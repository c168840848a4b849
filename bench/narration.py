"""Narration: how much of what is told can be heard again, and how soon a long diff begins to sound.

Facts are names, numbers and counts of lines. They are told by Piper and written down by Whisper base: by one
that knows no name, and by Utter as it hears in this repository, with all the names of it. What was heard is
compared by sound, for spelling cannot be heard; and as one hears who knows which names there are. That this
is not too kind is shown by names that were not said: all names of the other sentences are looked for in each,
and none must be found.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")  # read when the numeric libraries load

import argparse
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np
import platformdirs
import soxr
from rapidfuzz.distance import Levenshtein

from agent.workspace import Workspace
from bench.kept import Kept, OutOfTime, fingerprint
from bench.report import machine, table, write_section
from voice import config
from voice.app import open_synthesiser, open_transcriber
from voice.audio.frames import SAMPLE_RATE
from voice.commands.context import store_of
from voice.hearing.repository_names import RepositoryNames
from voice.hearing.sounds import sound
from voice.hearing.spoken_code import write_out
from voice.narration.places import places_of
from voice.narration.repository import read_diff
from voice.narration.runs import runs_of
from voice.narration.sections import Section
from voice.narration.telling import Level, chapters
from voice.speaking.names_aloud import file_name, identifier

ROOT = Path(__file__).resolve().parent.parent
DIFFS = ROOT / "bench" / "diffs"
KEPT = Path(platformdirs.user_cache_dir("utter")) / "bench" / "narration"
LEAST_RECOVERED = 0.95
MOST_FIRST_S = 2.0
RUNS = 5
LONG_FILES, LONG_FILE_LINES = 20, 50  # 20 files, 50 lines of each replaced: a diff of 2,000 lines
PAUSE_S = 0.3  # of silence before and after each sentence

HEADERS = ["narrated, then heard again", "told", "word for word", "by Utter, word for word", "known by sound"]

_NUMBERS = "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
_WORD = re.compile(r"[^\W_]+")
_NEAR = 6  # a name is known by its sound with one in so many wrong; a short one only when none is

# The command itself, up to the first sound; seconds since it was begun. (What the system tells of that may be
# half a second off.)
_FIRST_SOUND = """
import os, sys, time
from pathlib import Path
from voice.cli import register
register(["narrate"])
from voice import config
from voice.commands.context import Context, make_console, store_of
from voice.commands.narrate import opened
from voice.narration.telling import Level
settings = config.load()
console = make_console(dict(os.environ), stderr=True)
made = Context(settings, store_of(settings), console, console)
with opened(made, None, Path(sys.argv[1]), Level.NORMAL) as recording:
    next(iter(recording.pieces()))
    print(time.time() - float(sys.argv[2]))
"""


@dataclass(frozen=True)
class Fact:
    """A name or a number that a sentence tells. `written` is how code writes the name."""

    kind: str
    text: str
    written: str = ""


@dataclass
class Recovered:
    """By kind of fact: how many were told and found, see `HEADERS`.

    `decoys` are names that were not said, `mistaken` those that were found all the same.
    """

    told: Counter[str] = field(default_factory=Counter[str])
    plain: Counter[str] = field(default_factory=Counter[str])
    knowing: Counter[str] = field(default_factory=Counter[str])
    known: Counter[str] = field(default_factory=Counter[str])
    decoys: int = 0
    mistaken: list[str] = field(default_factory=list[str])
    missed: list[str] = field(default_factory=list[str])


def main(minutes: float | None = None) -> bool:
    """Measure, print and write the section; whether all limits are kept.

    With `minutes` sentences are heard no longer than that; what was heard is kept for the next time.
    """
    until = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    kept = Kept(KEPT / f"heard-{_of_sound()}.jsonl", until)
    try:
        found = recovered(kept)
    except OutOfTime:
        print(f"bench: {len(kept)} of {len(list(sentences()))} sentences are heard")
        return True
    firsts = sorted(first_sounds())
    told = found.told.total()
    found_by = (found.plain, found.knowing, found.known)
    rows = [
        [kind, str(found.told[kind]), *(_percent(one[kind] / found.told[kind]) for one in found_by)]
        for kind in sorted(found.told)
    ]
    shares = [one.total() / told for one in found_by]
    rows.append(["all", str(told), *map(_percent, shares)])
    first_s = statistics.median(firsts)
    n_diffs = len(list(DIFFS.glob("*.diff")))
    spread = f"{firsts[0]:.2f} to {firsts[-1]:.2f}, {RUNS} runs"
    text = "`python -m bench narration`:\n\n" + table(HEADERS, rows) + "\n\n"
    text += (
        f"At least {100 * LEAST_RECOVERED:.0f} % are wanted. {n_diffs} diffs of this "
        "project, told by Piper en_US-joe-medium and written down by Whisper base. Word for word: all words "
        "of a name, or such as sound the same (write and right, py and pie), heard without a hint of the "
        "names, and by Utter with all names of this repository. Known by sound: without a hint as well, but "
        f"as one hears who knows the names of these diffs, with at most one sound in {_NEAR} another, and no "
        f"other name as near. Of {found.decoys} names that were not said, {len(found.mistaken)} were "
        "found; none is wanted.\n\n"
        f"From the start of the process to the first sound, for 2,000 changed lines in {LONG_FILES} files: "
        f"{first_s:.2f} s ({spread}; at most {MOST_FIRST_S:.0f} s are wanted). {machine()}"
    )
    print(text)
    for line in (*found.missed, *found.mistaken):
        print(f"  {line}")
    write_section("narration", text)
    return min(shares) >= LEAST_RECOVERED and first_s <= MOST_FIRST_S and not found.mistaken


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _of_sound() -> str:
    """Changes with the code that makes a sentence sound and hears it."""
    folders = (ROOT / "voice" / "hearing", ROOT / "voice" / "speaking" / "engines")
    files = [ROOT / "voice" / "speaking" / name for name in ("pieces.py", "expanded.py", "spoken_text.py")]
    return fingerprint([*files, *(path for folder in folders for path in folder.rglob("*.py"))])


def recovered(kept: Kept) -> Recovered:
    """Every sentence told and heard. Raises `OutOfTime`, see `Kept`."""
    settings = config.load()
    store = store_of(settings)
    voice = open_synthesiser(settings.speaking, store)
    ears, knowing = open_transcriber(settings, store), open_transcriber(settings, store)
    lexicon = RepositoryNames(Workspace(ROOT)).lexicon()
    knowing.expect(lexicon)
    result = Recovered()
    every = list(sentences())
    names = sorted({fact.text for _, facts in every for fact in facts if fact.written})

    def heard_of(clause: str) -> tuple[str, str, str]:
        """What was heard without names, with them, and what is written for that."""
        pieces = [np.zeros(int(PAUSE_S * voice.sample_rate), np.float32), *voice.synthesise(clause)]
        audio = soxr.resample(np.concatenate([*pieces, pieces[0]]), voice.sample_rate, SAMPLE_RATE)
        samples, voiced_s = audio.astype(np.float32), len(audio) / SAMPLE_RATE - 2 * PAUSE_S
        heard = knowing.transcribe(samples, voiced_s)
        written = write_out(heard.text, lexicon, evidence=heard.names).text
        return ears.transcribe(samples, voiced_s).text, heard.text, written

    for clause, facts in every:
        plain, heard, written = kept.value(clause, lambda: heard_of(clause))  # noqa: B023
        for fact in facts:
            result.told[fact.kind] += 1
            result.plain[fact.kind] += is_heard(fact, plain)
            result.knowing[fact.kind] += is_heard(fact, heard) or is_heard(fact, written)
            is_found = is_heard(fact, plain) or bool(fact.written and is_known(fact.text, plain, names))
            result.known[fact.kind] += is_found
            if not is_found:
                result.missed.append(f"missed: {fact.text!r} of {clause!r} in {plain!r}")
        for name in names:
            if not is_heard(Fact("", name), clause):
                result.decoys += 1
                is_exact = any(is_heard(Fact("", name), text) for text in (plain, written))
                if is_exact or is_known(name, plain, names):
                    result.mistaken.append(f"not said: {name!r} of {clause!r}, found in {written!r}")
    return result


def sentences() -> Iterator[tuple[str, list[Fact]]]:
    """Each sentence of the narrations that tells a fact, and its facts."""
    for path in sorted(DIFFS.glob("*.diff")):
        sections, is_whole = read_diff(path)
        files = {file_name(one): one for section in sections for one in (section.path, section.old_path)}
        symbols = {identifier(name): name for section in sections for name in symbols_in(section)}
        for chapter in chapters(sections, lambda _: (None, None), Level.NORMAL, is_whole=is_whole):
            for clause in chapter.clauses:
                facts = facts_of(clause, files, symbols)
                if facts:
                    yield clause, facts


def symbols_in(section: Section) -> Iterator[str]:
    """The names of the functions and classes that a diff touches."""
    for place in places_of(section.path, runs_of(section), None, None):
        yield from filter(None, (place.bare_name, place.old_name))


def facts_of(clause: str, files: Mapping[str, str], symbols: Mapping[str, str]) -> list[Fact]:
    """The longest names first, none within another; then the numbers outside of them.

    `files` and `symbols` are as they are written, by how they are said.
    """
    facts: list[Fact] = []
    rest = clause.lower()
    for kind, names in (("file names", files), ("symbols", symbols)):
        for name in sorted(names, key=len, reverse=True):
            pattern = rf"(?<!\w){re.escape(name.lower())}(?!\w)"
            rest, times = re.subn(pattern, " | ", rest)
            facts += [Fact(kind, name.lower(), names[name])] * bool(times)
    value = rf"(\d+|{'|'.join(_NUMBERS)})"
    counts = re.findall(rf"(?<![\w.]){value}(?= (?:lines?|files?|new|more|of them)\b)", rest)
    places = re.findall(rf"\bline {value}\b", rest)
    return [*facts, *(Fact("counts", one) for one in counts), *(Fact("line numbers", one) for one in places)]


def is_heard(fact: Fact, text: str) -> bool:
    """Whether a number stands in what was heard, or words that sound like all of a name's, one by one."""
    words = _words(text)
    if fact.kind in ("counts", "line numbers"):
        return _number(fact.text) in words
    wanted = _sounds(fact.text)
    return any(run == wanted for run in _runs(words, len(wanted)))


def is_known(name: str, text: str, names: Iterable[str]) -> bool:
    """Whether words sound nearly like a name, and like no other of `names` as nearly: see `_NEAR`."""
    wanted = _sounds(name)
    others = [sounds for other in names if (sounds := _sounds(other)) != wanted]
    most = len(wanted) // _NEAR
    for run in _runs(_words(text), len(wanted) + most):
        off = Levenshtein.distance(run, wanted, score_cutoff=most)
        if off <= most and all(Levenshtein.distance(run, one, score_cutoff=off) > off for one in others):
            return True
    return False


def _runs(words: Sequence[str], most: int) -> Iterator[str]:
    """How words that follow each other sound, joined, as long as that is at most `most` long."""
    sounds = [sound(word) for word in words]
    for start in range(len(sounds)):
        for run in accumulate(sounds[start:]):
            if len(run) > most:
                break
            yield run


def _words(text: str) -> list[str]:
    return [_number(word) for word in _WORD.findall(_spelt(text))]


def _sounds(name: str) -> str:
    return sound(" ".join(_WORD.findall(_spelt(name))))


def _spelt(text: str) -> str:
    """What was heard, as it is said: "calc.py" is "calc dot pie", "1,200" and "2-1-4" are one number each.

    Before what is counted "for" and "to" are numbers: they sound the same.
    """
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text.lower())
    text = re.sub(r"\bline(?=\d)", "line ", text)
    text = re.sub(r"\bline (\d)[- ](\d\d)\b(?! lines?)", r"line \1\2", text)
    text = re.sub(r"(?<!\d)\d(?:[-, ]+\d(?!\d))+", lambda found: re.sub(r"\D", "", found[0]), text)
    for said, word in (("for", "four"), ("to", "two"), ("too", "two"), ("ate", "eight")):
        text = re.sub(rf"\b{said}(?= (?:lines?|files?|new|more)\b)", word, text)
    text = re.sub(r"(?<=\w)\.(?=\w)|(?<!\w)\.(?=\w)", " dot ", text)
    return re.sub(r"\b(?:py|pi)\b", "pie", text.replace("_", " "))


def _number(word: str) -> str:
    return str(_NUMBERS.index(word)) if word in _NUMBERS else word


def first_sounds() -> list[float]:
    """Seconds to the first sound in fresh processes."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "long"
        root.mkdir()
        _git(root, "init", "-q")
        for state in ("a", "b"):
            for number in range(LONG_FILES):
                functions = (f"def f{n}(a, b):\n    return a + {state}{n}\n" for n in range(LONG_FILE_LINES))
                (root / f"module{number}.py").write_text("\n\n".join(functions), encoding="utf-8")
            if state == "a":
                _git(root, "add", "-A")
                _git(root, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "a")
        seconds = [_first_sound(root) for _ in range(RUNS + 1)]
    return seconds[1:]  # the first reads the files from the disk


def _first_sound(root: Path) -> float:
    command = [sys.executable, "-c", _FIRST_SOUND, str(root), str(time.time())]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def _git(root: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, help="hear no longer, and keep what was heard")
    sys.exit(0 if main(parser.parse_args().minutes) else 1)
