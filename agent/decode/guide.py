"""Which tokens may come next: any, or those that the grammar in force admits. Pure but for llguidance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import llguidance
import llguidance.numpy
import numpy as np
from numpy.typing import NDArray

from agent.decode.calls import CallGrammar, CallWatch, Constraint


class Guide:
    """Follows what is written, token by token."""

    def __init__(
        self,
        constraint: Constraint,
        tokeniser: Callable[[], llguidance.LLTokenizer],
        shown: Callable[[int], bytes],
        eos_tokens: frozenset[int],
    ) -> None:
        """`tokeniser` is asked only when a grammar comes into force; `shown` gives a token's text or name."""
        self._tokeniser = tokeniser
        self._shown = shown
        self.eos_tokens = eos_tokens
        self._calls = constraint if isinstance(constraint, CallGrammar) else None
        self._watch = CallWatch(self._calls) if self._calls is not None else None
        self._lark: str | None = None
        self._matcher = self._new_matcher(constraint) if isinstance(constraint, str) else None

    @property
    def is_free(self) -> bool:
        """Whether any token may come next."""
        return self._matcher is None

    @property
    def lark(self) -> str | None:
        """The grammar in force when nothing of it is written yet; None where there is none, or later."""
        return self._lark

    @property
    def is_over(self) -> bool:
        """Whether the grammar for the whole text is complete."""
        return self._calls is None and self._matcher is not None and self._matcher.is_stopped()

    @property
    def may_end(self) -> bool:
        """Whether the text may end here."""
        return self._matcher is None or self._matcher.is_accepting()

    @property
    def problem(self) -> str:
        """Why the grammar cannot be followed any further; empty when it can."""
        return self._matcher.get_error() if self._matcher is not None else ""

    @property
    def is_in_call(self) -> bool:
        """Whether a call has begun and not ended."""
        return self._calls is not None and self._matcher is not None

    def forced(self) -> tuple[int, ...]:
        """Takes and gives the tokens that the grammar leaves no choice about, in the text's usual tokens."""
        if self._matcher is None or self._matcher.is_stopped():
            return ()
        tokens = self._matcher.compute_ff_tokens()
        if tokens:
            self._lark = None
            self._matcher.consume_tokens(tokens)
            self._end_call()
        return tuple(tokens)

    def take(self, token: int) -> tuple[int, ...]:
        """`token` was chosen: it and those that must follow it.

        None at all when it ended the opener of a call and said more: choose again, under the grammar now.
        """
        if self._matcher is not None:
            self._lark = None
            self._matcher.consume_token(token)
            self._end_call()
            return (token, *self.forced())
        began = self._watch.push(self._shown(token)) if self._watch is not None else None
        if began is None:
            return (token,)
        self._matcher = self._new_matcher(began.grammar)
        return (token, *self.forced()) if began.keeps_token else ()

    def admits(self, token: int) -> bool:
        """Whether `token` may come next."""
        if self._matcher is None:
            return True
        if token in self.eos_tokens:
            return self.may_end
        return self._matcher.validate_tokens([token]) == 1

    def admitted(self, tokens: Sequence[int]) -> Sequence[int]:
        """The beginning of `tokens` that may come next, before any end of the turn."""
        end = next((n for n, token in enumerate(tokens) if token in self.eos_tokens), len(tokens))
        tokens = tokens[:end]
        return tokens if self._matcher is None else tokens[: self._matcher.validate_tokens(list(tokens))]

    def mask(self, vocabulary_size: int) -> NDArray[np.bool_] | None:
        """Which tokens may come next, shape (vocabulary,); None when all may."""
        if self._matcher is None:
            return None
        bits = llguidance.numpy.allocate_token_bitmask(1, self._tokeniser().vocab_size)
        llguidance.numpy.fill_next_token_bitmask(self._matcher, bits)
        return np.unpackbits(bits.view(np.uint8), bitorder="little")[:vocabulary_size].astype(bool)

    def _new_matcher(self, grammar: str) -> llguidance.LLMatcher:
        self._lark = grammar
        return llguidance.LLMatcher(self._tokeniser(), grammar)

    def _end_call(self) -> None:
        """Behind a whole call, the text is free again."""
        if self._calls is None or self._matcher is None or self._matcher.is_error():
            return
        if self._matcher.is_stopped():
            self._matcher, self._lark, self._watch = None, None, CallWatch(self._calls)
