"""Ways to make a repository's names likelier while hearing, one by one: what each brings, and what it costs.

Every third request of those that may be tuned on, in the voices and noise of `bench.identifiers`, and once
more with the names of another repository; the same code writes all out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from statistics import mean, median

# The numeric libraries read these when they load.
THREADS = int(os.environ.setdefault("OPENBLAS_NUM_THREADS", "2"))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))

from bench.identifiers import VOICES  # noqa: E402
from bench.identifiers_clips import KeptVoices, drawn  # noqa: E402
from bench.identifiers_vocabulary import VOCABULARIES, lexicon_of, requests  # noqa: E402
from bench.report import machine, table, write_section  # noqa: E402
from voice import config  # noqa: E402
from voice.audio.frames import Samples  # noqa: E402
from voice.commands.context import store_of  # noqa: E402
from voice.hearing.another_text import likeliest_with_a_name  # noqa: E402
from voice.hearing.favoured import favoured  # noqa: E402
from voice.hearing.guards import Evidence  # noqa: E402
from voice.hearing.lexicon import Lexicon  # noqa: E402
from voice.hearing.spoken_code import Written, write_out  # noqa: E402
from voice.hearing.transcribe import Transcriber  # noqa: E402
from voice.hearing.whisper.biasing import Bias  # noqa: E402
from voice.hearing.whisper.decoding import opened  # noqa: E402
from voice.hearing.whisper.encoded import Encoded  # noqa: E402
from voice.hearing.written import OF_A_NAME  # noqa: E402

Way = Callable[[Encoded, Lexicon, Bias], str]

_EVERY = 3
_PROMPT_TOKENS = 223  # of earlier text, the most that Whisper takes
_BEAM_WIDTH = 5


@dataclass
class Row:
    """Of one way: whether each name was written, whether one of another repository was, and the time."""

    right: list[bool] = field(default_factory=list[bool])
    foreign: list[bool] = field(default_factory=list[bool])
    seconds: list[float] = field(default_factory=list[float])


def main() -> bool:
    """Measure, print and write the section; true when what Utter does writes the most names right."""
    store = store_of(config.load())
    voices = KeptVoices(store.path("kokoro"), store.path("piper-joe"))
    ears = Transcriber(store.path("whisper-base-mlx"))
    ears.warm_up()
    lexicons = {vocabulary.name: lexicon_of(vocabulary) for vocabulary in VOCABULARIES}
    asked = requests()
    pairs = list(zip(asked, drawn([request.text for request in asked], VOICES), strict=True))
    tuned = [pair for pair in pairs if not pair[0].is_held_out][::_EVERY]
    rows = {name: Row() for name in (*_WAYS, _ALL)}
    order = list(lexicons)
    for request, spoken in tuned:
        samples = voices.clip(spoken).samples
        another = order[order.index(request.vocabulary) - 1]
        for vocabulary in (request.vocabulary, another):
            lexicon = lexicons[vocabulary]
            ears.expect(lexicon)
            for name, row in rows.items():
                started = time.perf_counter()
                written = _written(ears, samples, lexicon, _WAYS.get(name))
                row.seconds.append(time.perf_counter() - started)
                if vocabulary == another:
                    row.foreign.append(any(one.source in OF_A_NAME for one in written.changes))
                else:
                    row.right.append(request.name in written.text)
    text = "\n\n".join(
        (
            f"`python -m bench biasing`: ways to make a repository's names likelier while hearing, on every"
            f" third of the requests that were tuned on ({len(tuned)}). {machine()}",
            table(
                ["way", "names written right", "another repository's written", "median s"],
                [
                    [name, f"{mean(one.right):.3f}", f"{mean(one.foreign):.3f}", f"{median(one.seconds):.2f}"]
                    for name, one in rows.items()
                ],
            ),
            "Names as earlier text is Whisper's own way (the `initial_prompt` of openai/whisper). Utter does"
            " the last.",
        )
    )
    print(text)
    write_section("biasing", text)
    return sum(rows[_ALL].right) == max(sum(row.right) for row in rows.values())


def _written(ears: Transcriber, samples: Samples, lexicon: Lexicon, way: Way | None) -> Written:
    """What is heard in that way, or as Utter hears, and written out."""
    if way is None:
        heard = ears.transcribe(samples)
        return write_out(heard.text, lexicon, evidence=heard.names)
    bias = ears._expected[1]
    assert bias is not None
    return write_out(way(ears._encoded(samples), lexicon, bias), lexicon, evidence={})


def _plain(encoded: Encoded, lexicon: Lexicon, bias: Bias) -> str:
    return encoded.text(encoded.decoded(None).tokens)


def _as_earlier_text(encoded: Encoded, lexicon: Lexicon, bias: Bias) -> str:
    """The names that matter most before the utterance, the most important last."""
    names = encoded.tokens(", ".join(favoured(lexicon)))[-_PROMPT_TOKENS:]
    vocabulary = encoded.vocabulary
    told = replace(vocabulary, prompt=(encoded.tokenizer.sot_prev, *names, *vocabulary.prompt))
    prompted = replace(encoded, vocabulary=told, begun=opened(encoded.fresh.copy(), told))
    return prompted.text(prompted.decoded(None).tokens)


def _biased(encoded: Encoded, lexicon: Lexicon, bias: Bias) -> str:
    return encoded.text(encoded.decoded(bias).tokens)


def _of_a_beam(encoded: Encoded, lexicon: Lexicon, bias: Bias | None) -> str:
    """Of five paths the best, or else the likeliest that names something."""
    decoded = encoded.decoded(bias, _BEAM_WIDTH)
    text, *others = (encoded.text(tokens) for tokens in (decoded.tokens, *decoded.others))
    best = Evidence(text, 0.0, decoded.avg_logprob, decoded.no_speech_prob, 1.0)
    taken, _ = likeliest_with_a_name(encoded, best, [text, *others], lexicon)
    return taken[0].text if taken else text


_ALL = "logit bias, n-best, looked up, and compared with the audio"
_WAYS: dict[str, Way] = {
    "nothing": _plain,
    "names as earlier text": _as_earlier_text,
    "n-best rescoring": lambda encoded, lexicon, _bias: _of_a_beam(encoded, lexicon, None),
    "logit bias": _biased,
    "logit bias and n-best rescoring": _of_a_beam,
}
