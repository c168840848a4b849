"""Ways to make a repository's names likelier while hearing, one by one: the part that may be tuned on.

Every third request of it, in the voices and the noise of `bench.identifiers`; the same code writes all out.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from statistics import mean

# The numeric libraries read these when they load.
THREADS = int(os.environ.setdefault("OPENBLAS_NUM_THREADS", "2"))
os.environ.setdefault("OMP_NUM_THREADS", str(THREADS))

from bench.identifiers import VOICES  # noqa: E402
from bench.identifiers_clips import KeptVoices, drawn  # noqa: E402
from bench.identifiers_vocabulary import VOCABULARIES, lexicon_of, requests  # noqa: E402
from bench.report import machine, table, write_section  # noqa: E402
from voice import config  # noqa: E402
from voice.commands.context import store_of  # noqa: E402
from voice.hearing.another_text import likeliest_with_a_name  # noqa: E402
from voice.hearing.favoured import favoured  # noqa: E402
from voice.hearing.guards import Evidence  # noqa: E402
from voice.hearing.lexicon import Lexicon  # noqa: E402
from voice.hearing.spoken_code import write_out  # noqa: E402
from voice.hearing.transcribe import Transcriber  # noqa: E402
from voice.hearing.whisper.biasing import Bias  # noqa: E402
from voice.hearing.whisper.decoding import opened  # noqa: E402
from voice.hearing.whisper.encoded import Encoded  # noqa: E402

_EVERY = 3
_PROMPT_TOKENS = 223  # of earlier text, the most that Whisper takes
_BEAM_WIDTH = 5


def main() -> bool:
    """Measure, print and write the section; true when what Utter does writes the most names right."""
    store = store_of(config.load())
    voices = KeptVoices(store.path("kokoro"), store.path("piper-joe"))
    ears = Transcriber(store.path("whisper-base-mlx"))
    ears.warm_up()
    lexicons = {vocabulary.name: lexicon_of(vocabulary) for vocabulary in VOCABULARIES}
    asked = requests()
    pairs = list(zip(asked, drawn([request.text for request in asked], VOICES), strict=True))
    right: dict[str, list[bool]] = {}
    tuned = [pair for pair in pairs if not pair[0].is_held_out][::_EVERY]
    for request, spoken in tuned:
        lexicon, clip = lexicons[request.vocabulary], voices.clip(spoken)
        ears.expect(lexicon)
        encoded, bias = ears._encoded(clip.samples), ears._expected[1]
        assert bias is not None
        for name, hear in _WAYS.items():
            written = write_out(hear(encoded, lexicon, bias), lexicon, evidence={}).text
            right.setdefault(name, []).append(request.name in written)
        heard = ears.transcribe(clip.samples)
        written = write_out(heard.text, lexicon, evidence=heard.names).text
        right.setdefault(_ALL, []).append(request.name in written)
    text = "\n\n".join(
        (
            f"`python -m bench biasing`: ways to make a repository's names likelier while hearing, on every"
            f" third of the requests that were tuned on ({len(tuned)}). {machine()}",
            table(
                ["way", "names written right"], [[name, f"{mean(one):.3f}"] for name, one in right.items()]
            ),
            "Names as earlier text is Whisper's own way (the `initial_prompt` of openai/whisper). Utter does"
            " the last.",
        )
    )
    print(text)
    write_section("biasing", text)
    return sum(right[_ALL]) == max(map(sum, right.values()))


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
_WAYS: dict[str, Callable[[Encoded, Lexicon, Bias], str]] = {
    "nothing": _plain,
    "names as earlier text": _as_earlier_text,
    "n-best rescoring": lambda encoded, lexicon, _bias: _of_a_beam(encoded, lexicon, None),
    "logit bias": _biased,
    "logit bias and n-best rescoring": _of_a_beam,
}
