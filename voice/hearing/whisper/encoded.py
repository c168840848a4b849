"""One utterance behind Whisper's encoder: what may be asked of its decoder, in text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from voice.hearing.whisper.biasing import Bias
from voice.hearing.whisper.constrained import continued
from voice.hearing.whisper.decoding import Decoded, Opened, Vocabulary, decode, likelihoods
from voice.hearing.whisper.network import Decoding, Floats


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
    _logprobs: dict[str, Floats] = field(default_factory=dict[str, Floats], repr=False)

    def decoded(
        self, bias: Bias | None, width: int = 1, goes_on: Callable[[], bool] = lambda: True
    ) -> Decoded:
        """The likeliest text, see `decode`."""
        return decode(self.begun, self.vocabulary, self.max_tokens, self.speech_end, width, bias, goes_on)

    def likelihoods(self, phrases: Sequence[str], least: float) -> list[float]:
        """Of each of `phrases` the log probability that it is all that was said, see `likelihoods`."""
        asked = [self.tokens(phrase) for phrase in phrases]
        return likelihoods(self.begun, self.vocabulary, asked, least)

    def logprob(self, text: str, end: int | None = None) -> float:
        """The log probability that `text` is what was said; of what is before `end` (characters) of it."""
        n_tokens = None
        if end is not None:
            before = self.tokens(text[:end])
            n_tokens = len(before)
            if self.tokens(text)[:n_tokens] != before:  # in the middle of a token
                return self.logprob(text[:end])
        if text not in self._logprobs:
            prompt = list(self.vocabulary.prompt)
            logprobs = self.fresh.copy().logprobs([*prompt, *self.tokens(text)])
            self._logprobs[text] = logprobs[len(prompt) - 1 :]
        return float(self._logprobs[text][:n_tokens].sum())

    def with_a_name(self, text: str, end: int, names: Bias, least: float) -> list[str]:
        """The likeliest texts that are as `text` before `end`, where a word ends, and go on with a name.

        Those less likely than `least` (nats) are left out.
        """
        so_far = self.logprob(text, end)
        if so_far < least:
            return []
        prefix = self.tokens(text[:end])
        least -= so_far
        found = continued(self.begun, self.vocabulary, prefix, names, least, self.max_tokens, self.speech_end)
        return [self.text(tokens) for tokens in found]

    def text(self, tokens: Sequence[int]) -> str:
        """The words of `tokens`."""
        return self.tokenizer.decode(list(tokens)).strip()

    def tokens(self, text: str) -> list[int]:
        """`text`, whole words, as the decoder writes it."""
        return as_spoken(self.tokenizer, text)


def as_spoken(tokenizer: Any, text: str) -> list[int]:
    """`text`, whole words, in tokens of text alone, whatever it is: a file may be called "<|en|>"."""
    return tokenizer.encode(f" {text}", disallowed_special=())
