"""One utterance behind Whisper's encoder: what may be asked of its decoder, in text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from voice.hearing.whisper.biasing import Bias
from voice.hearing.whisper.constrained import with_a_name
from voice.hearing.whisper.decoding import Decoded, Opened, Vocabulary, decode, likelihoods
from voice.hearing.whisper.network import Decoding


@dataclass(frozen=True)
class Encoded:
    """`fresh` has read nothing, `begun` the prompt; neither is used up by what is asked here.

    `max_tokens` and `speech_end` as in `decode`.
    """

    fresh: Decoding
    begun: Opened
    vocabulary: Vocabulary
    tokenizer: Any
    max_tokens: int
    speech_end: int

    def decoded(
        self, bias: Bias | None, width: int = 1, goes_on: Callable[[], bool] = lambda: True
    ) -> Decoded:
        """The likeliest text, see `decode`."""
        return decode(self.begun, self.vocabulary, self.max_tokens, self.speech_end, width, bias, goes_on)

    def likelihoods(self, phrases: Sequence[str], least: float) -> list[float]:
        """Of each of `phrases` the log probability that it is all that was said, see `likelihoods`."""
        asked = [self.tokens(phrase) for phrase in phrases]
        return likelihoods(self.begun, self.vocabulary, asked, least)

    def logprob(self, text: str) -> float:
        """The log probability that `text` is what was said."""
        prompt = list(self.vocabulary.prompt)
        logprobs = self.fresh.copy().logprobs([*prompt, *self.tokens(text)])
        return float(logprobs[len(prompt) - 1 :].sum())

    def with_a_name(self, prefix: str, names: Bias, least: float) -> list[str]:
        """The likeliest texts with one of `names` behind `prefix`, which ends with a word.

        Texts less likely than `least` (nats) are left out.
        """
        so_far = self.logprob(prefix) if prefix else 0.0
        if so_far < least:
            return []
        found = with_a_name(
            self.begun,
            self.vocabulary,
            self.tokens(prefix) if prefix else [],
            names,
            least - so_far,
            self.max_tokens,
        )
        return [self.text(tokens) for tokens in found]

    def text(self, tokens: Sequence[int]) -> str:
        """The words of `tokens`."""
        return self.tokenizer.decode(list(tokens)).strip()

    def tokens(self, text: str) -> list[int]:
        """`text`, whole words, as the decoder writes it."""
        return self.tokenizer.encode(f" {text}")
