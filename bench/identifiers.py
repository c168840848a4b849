"""Names of a repository in spoken requests: how many are written right, and what that costs in plain English.

Three made-up repositories, six voices, three noise levels; see `identifiers_vocabulary.py`. A third of the
names was never looked at while anything was tuned. The peers hear the same audio of that third, with the
same weights. `python -m bench.identifiers --minutes 7` measures a part and keeps it; with the last part, or
with `python -m bench identifiers` for all at once, the section is written.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

# The numeric libraries read these when they load.
THREADS = int(os.environ.setdefault("OPENBLAS_NUM_THREADS", "2"))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))

import numpy as np  # noqa: E402
from faster_whisper import WhisperModel  # noqa: E402

from agent.workspace import Workspace  # noqa: E402
from bench.identifiers_clips import FOLDER, Drawn, KeptVoices, drawn  # noqa: E402
from bench.identifiers_ordinary import ORDINARY  # noqa: E402
from bench.identifiers_vocabulary import VOCABULARIES, Request, lexicon_of, requests  # noqa: E402
from bench.kept import Kept, OutOfTime, fingerprint  # noqa: E402
from bench.report import machine, table, write_section  # noqa: E402
from bench.synthetic import Clip  # noqa: E402
from bench.transcription import normalised, word_errors  # noqa: E402
from voice import config  # noqa: E402
from voice.commands.context import store_of  # noqa: E402
from voice.hearing.favoured import favoured  # noqa: E402
from voice.hearing.lexicon import Lexicon  # noqa: E402
from voice.hearing.names import key, spoken_words  # noqa: E402
from voice.hearing.repository_names import RepositoryNames  # noqa: E402
from voice.hearing.spoken_code import write_out  # noqa: E402
from voice.hearing.transcribe import Transcriber  # noqa: E402

VOICES = ("jf_alpha", "jf_gongitsune", "jf_nezumi", "jf_tebukuro", "jm_kumo", "joe")
PLAIN = ORDINARY[::3]
WANTED_FIRST, WANTED_AMONG_FIVE = 0.90, 0.97
_READINGS = 5
_FILES = 5_000
_MLX, _FASTER = "mlx-whisper", "faster-whisper int8, beam 5, hotwords"
_EVERY = {_MLX: 4, _FASTER: 1}  # held-out request that a peer hears
_HOTWORDS = 70  # names; more are cut by faster-whisper, which takes 223 tokens


ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Row:
    """One request: at which place among the readings its name stands (0 is the text itself), or None."""

    request: Request
    spoken: Drawn
    heard: str
    place: int | None
    without_names: bool  # written right by the same code without bias and comparison
    wrong: bool  # another name was written for it
    seconds: float


@dataclass(frozen=True)
class Peer:
    """Of `n` held-out requests, in how many the name was `heard` by it, and written right by us."""

    name: str
    heard: int
    ours: int
    n: int


def main(minutes: float | None = None) -> bool:
    """Measure, print and write the section; true when every limit is kept.

    With `minutes` only so much is measured; what is, is kept for the code as it stands, and true is for a
    part that came to no end.
    """
    until = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    ours = Kept(FOLDER / f"heard-{_of_hearing()}.jsonl", until)
    theirs = Kept(FOLDER / "peers.jsonl", until)
    asked = requests()
    all_spoken = drawn([request.text for request in asked], VOICES)
    plain = drawn(PLAIN, VOICES)
    rows: list[Row] = []
    try:
        peers, biased, unbiased = measured_all(ours, theirs, asked, all_spoken, plain, rows)
    except OutOfTime:
        n_all = len(asked) + len(plain)
        print(f"bench: {len(ours)} of {n_all} sentences are measured, and {len(theirs)} by the peers")
        if part := [row for row in rows if row.request.is_held_out]:
            first, among = recall(part, 1), recall(part, _READINGS)
            print(f"bench: recall of {len(part)} held-out names: @1 {first:.3f}, @{_READINGS} {among:.3f}")
        return True
    lexicons = [lexicon_of(vocabulary) for vocabulary in VOCABULARIES]
    altered = sum(_is_altered(text, lexicon) for text in ORDINARY for lexicon in lexicons)
    text = report(rows, peers, biased, unbiased, altered)
    print(text)
    write_section("identifiers", text)
    held_out = [row for row in rows if row.request.is_held_out]
    is_good = recall(held_out, 1) >= WANTED_FIRST and recall(held_out, _READINGS) >= WANTED_AMONG_FIVE
    return is_good and biased <= unbiased and not altered


def measured_all(
    ours: Kept,
    theirs: Kept,
    asked: Sequence[Request],
    all_spoken: Sequence[Drawn],
    plain: Sequence[Drawn],
    rows: list[Row],
) -> tuple[list[Peer], float, float]:
    """The requests, into `rows`, held-out names first; what the peers hear of these; errors in plain English.

    The errors are the word error rates with a repository's names and without.
    """
    store = store_of(config.load())
    voices = KeptVoices(store.path("kokoro"), store.path("piper-joe"))
    # Two, because a transcriber needs a while to take in other names.
    ears, plain_ears = (Transcriber(store.path("whisper-base-mlx")) for _ in range(2))
    ears.warm_up()
    lexicons = {vocabulary.name: lexicon_of(vocabulary) for vocabulary in VOCABULARIES}
    pairs = zip(asked, all_spoken, strict=True)
    for request, spoken in sorted(pairs, key=lambda pair: not pair[0].is_held_out):
        lexicon = lexicons[request.vocabulary]
        values = ours.value(
            f"{spoken.voice} {spoken.text}",
            lambda: measured(ears, plain_ears, lexicon, request, voices.clip(spoken)),  # noqa: B023
        )
        rows.append(Row(request, spoken, *values))
    errors = [0, 0]
    for number, spoken in enumerate(plain):
        lexicon = list(lexicons.values())[number * len(lexicons) // len(plain)]
        found = ours.value(
            f"{spoken.voice} {spoken.text}",
            lambda: plain_errors(ears, plain_ears, voices.clip(spoken), lexicon),  # noqa: B023
        )
        errors = [errors[0] + found[0], errors[1] + found[1]]
    words = sum(len(normalised(spoken.text)) for spoken in plain)
    peers: list[Peer] = []
    for name, hear in _peers(str(store.path("whisper-base")), str(store.path("whisper-base-mlx"))).items():
        found = list[tuple[bool, bool]]()
        for row in [row for row in rows if row.request.is_held_out][:: _EVERY[name]]:
            heard = theirs.value(
                f"{name}: {row.spoken.voice} {row.spoken.text}",
                lambda: hear(voices.clip(row.spoken).samples, lexicons[row.request.vocabulary]),  # noqa: B023
            )
            found.append((_is_heard(heard, row.request), row.place == 0))
        theirs_right, ours_right = (sum(column) for column in zip(*found, strict=True))
        peers.append(Peer(name, theirs_right, ours_right, len(found)))
    return peers, errors[0] / words, errors[1] / words


def measured(
    ears: Transcriber, plain_ears: Transcriber, lexicon: Lexicon, request: Request, clip: Clip
) -> tuple[str, int | None, bool, bool, float]:
    """One request, as a session hears and writes it; and once more without the names while hearing.

    The fields of `Row` from `heard` on.
    """
    ears.expect(lexicon)
    heard = ears.transcribe(clip.samples)
    written = write_out(heard.text, lexicon, evidence=heard.names)
    others = [write_out(other, lexicon).text for other in heard.others]
    readings = (written.text, *written.readings(others))[:_READINGS]
    place = next((at for at, text in enumerate(readings) if request.name in text), None)
    alone = write_out(plain_ears.transcribe(clip.samples).text, lexicon)
    similar = [one.after for one in written.changes if one.source.value.startswith("similar")]
    is_wrong = any(name not in request.name for name in similar)
    return heard.text, place, request.name in alone.text, is_wrong, heard.transcription_s


def plain_errors(ears: Transcriber, plain_ears: Transcriber, clip: Clip, lexicon: Lexicon) -> tuple[int, int]:
    """Word errors in plain English with a repository's names expected and written out, and without."""
    ears.expect(lexicon)
    heard = ears.transcribe(clip.samples)
    written = write_out(heard.text, lexicon, evidence=heard.names).text
    unbiased = plain_ears.transcribe(clip.samples).text
    return word_errors(clip.text, written), word_errors(clip.text, unbiased)


def _of_hearing() -> str:
    code = [*(ROOT / "voice" / "hearing").rglob("*.py"), *(ROOT / "bench").glob("identifiers_*.py")]
    return fingerprint(code)


def lexicon_s() -> float:
    """Seconds until the names of a fresh repository of `_FILES` Python files are known."""
    random_ = random.Random(0)
    words = sorted({word for one in VOCABULARIES for name in one.said for word in spoken_words(name)})
    with tempfile.TemporaryDirectory() as folder:
        for number in range(_FILES):
            place = Path(folder) / f"part_{number % 100}" / f"module_{number}.py"
            place.parent.mkdir(exist_ok=True)
            names = ("_".join(random_.choices(words, k=3)) for _ in range(20))
            place.write_text("".join(f"def {name}(value):\n    return value\n\n\n" for name in names))
        started = time.perf_counter()
        RepositoryNames(Workspace(folder)).lexicon()
        return time.perf_counter() - started


def recall(rows: Sequence[Row], among: int) -> float:
    """The share of names that stand in the first `among` readings."""
    return sum(row.place is not None and row.place < among for row in rows) / len(rows)


def _is_altered(text: str, lexicon: Lexicon) -> bool:
    written = write_out(text, lexicon)
    return bool(written.changes or written.unsure)


def _peers(faster: str, mlx: str) -> dict[str, Callable[[np.ndarray, Lexicon], str]]:
    import mlx_whisper

    model = WhisperModel(faster, device="cpu", compute_type="int8", cpu_threads=THREADS)

    def by_faster(samples: np.ndarray, lexicon: Lexicon, beam: int = 5) -> str:
        names = ", ".join(favoured(lexicon)[-_HOTWORDS:][::-1])  # it keeps the first 223 tokens
        segments, _ = model.transcribe(
            samples, language="en", beam_size=beam, condition_on_previous_text=False, hotwords=names
        )
        return " ".join(segment.text for segment in segments)

    def by_mlx(samples: np.ndarray, lexicon: Lexicon) -> str:
        del lexicon  # it takes none
        return str(mlx_whisper.transcribe(samples, path_or_hf_repo=mlx, language="en", fp16=False)["text"])

    return {_FASTER: by_faster, _MLX: by_mlx}


def _is_heard(text: str, request: Request) -> bool:
    """Whether the words of the name are in what a peer wrote, however it joined them."""
    return key(spoken_words(request.name)) in key(spoken_words(text))


def report(rows: Sequence[Row], peers: list[Peer], biased: float, unbiased: float, altered: int) -> str:
    held_out = [row for row in rows if row.request.is_held_out]
    groups: list[tuple[str, list[Row]]] = [
        ("held out", held_out),
        ("tuned on", [row for row in rows if not row.request.is_held_out]),
    ]
    for snr_db in sorted({row.spoken.snr_db for row in rows}, key=lambda level: -(level or 99.0)):
        name = "clean" if snr_db is None else f"pink noise, {snr_db:.0f} dB"
        groups.append((f"held out, {name}", [row for row in held_out if row.spoken.snr_db == snr_db]))
    for voice in VOICES:
        groups.append((f"held out, voice {voice}", [row for row in held_out if row.spoken.voice == voice]))
    lines = [
        [
            name,
            str(len(group)),
            f"{sum(row.without_names for row in group) / len(group):.3f}",
            f"{recall(group, 1):.3f}",
            f"{recall(group, _READINGS):.3f}",
            str(sum(row.wrong for row in group)),
        ]
        for name, group in groups
        if group
    ]
    theirs = [[one.name, str(one.n), f"{one.heard / one.n:.3f}", f"{one.ours / one.n:.3f}"] for one in peers]
    return "\n\n".join(
        (
            f"`python -m bench identifiers`: {len(rows)} spoken requests over three made-up repositories of"
            f" about 500 names each, six synthetic voices, three noise levels, Whisper base, threads:"
            f" {THREADS}. {machine()}",
            "Recall of the name as the repository writes it, the names expected while hearing (logit bias),"
            " looked up where the text names nothing (a beam search that may only spell names), and compared"
            ' with the audio; "text alone" is the same writing-out of unbiased Whisper. Wanted on the'
            f" held-out third: {WANTED_FIRST} and {WANTED_AMONG_FIVE}.",
            table(["requests", "n", "text alone @1", "recall @1", "recall @5", "another name"], lines),
            "The peers, same audio, same weights, held-out third, every fourth of it for mlx-whisper, which"
            " takes 10 s or more for each on a processor; theirs counts however it is joined:",
            table(["peer", "n", "recall @1", "Utter's on the same"], theirs),
            f"Plain English, {len(PLAIN)} sentences: word error rate {100 * biased:.1f} % with names expected"
            f" and written, {100 * unbiased:.1f} % without. Corrections in {len(ORDINARY)} ordinary sentences"
            f" that were right, three lexicons: {altered}. Median time of transcription with names:"
            f" {median(row.seconds for row in rows):.2f} s. The names of {_FILES} files are known after"
            f" {lexicon_s():.1f} s.",
        )
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, help="measure no longer, and keep what was measured")
    sys.exit(0 if main(parser.parse_args().minutes) else 1)
