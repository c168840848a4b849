"""What every language-model engine offers: sessions of tokens with a KV cache, kept, extended, cut, saved."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from agent.cache.entry import Retention
from agent.decode.calls import Constraint
from agent.errors import UtterError

if TYPE_CHECKING:
    from agent.engine.keeper import Keeper


class EngineError(UtterError):
    """The engine could not load, compute, save or restore."""


class ContextFull(EngineError):
    """The tokens asked for do not fit into the context window; the session is as it was before the call."""


class OutOfMemory(EngineError):
    """The machine has no memory left for the model or for the session, which keeps its tokens."""


class Finish(str, Enum):
    """Why generation ended."""

    END_OF_TURN = "end_of_turn"  # an end-of-sequence token, or the grammar is complete
    STOP = "stop"  # one of the stop strings
    LENGTH = "length"  # max_tokens
    REPETITION = "repetition"  # the same few tokens over and over


CUT_SHORT = (Finish.LENGTH, Finish.REPETITION)  # the model had more to say


@dataclass(frozen=True)
class Piece:
    """Some generated text and the tokens it came from.

    Text is cut at UTF-8 character borders, so one piece may carry several tokens. The last piece of a
    generation carries `finish`; an end-of-sequence token is neither in `text` nor in `tokens`.
    """

    text: str
    tokens: tuple[int, ...] = ()
    finish: Finish | None = None


@dataclass(frozen=True)
class Prefilled:
    """Exact token counts of one prefill: read from the cache, and computed now. Their sum is the prompt."""

    cached_tokens: int
    computed_tokens: int


class Session(Protocol):
    """One conversation's tokens and their KV cache. Not for two callers at once."""

    @property
    def tokens(self) -> tuple[int, ...]:
        """The tokens of the session so far; what `generate` will continue."""
        ...

    @property
    def computed_tokens(self) -> int:
        """How many prompt tokens were computed for this session in all.

        Calls that were cancelled count, and so does what `generate` had to compute anew because the engine
        had lost it. Never too few.
        """
        ...

    async def prefill(self, tokens: Sequence[int], *, leave_tail: bool = False) -> Prefilled:
        """Append `tokens` and compute their KV, in chunks of 512 with cancellation between.

        With `leave_tail`, for what goes on at once, some are counted now and computed by the next call.
        Raises `ContextFull` before anything is computed. When cancelled, `tokens` holds what was computed.
        """
        ...

    def generate(
        self,
        constraint: Constraint,
        stop: Sequence[str],
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AsyncGenerator[Piece, None]:
        """Continue the session; the tokens of the pieces yielded are appended to it.

        `constraint` is a grammar in llguidance's Lark syntax for all of it, or `CallGrammar` for free text
        in which calls obey one, or None for free text. The text of a stop
        string is never yielded; where one begins inside a token, that token is dropped from the session and
        the part before it is yielded with no tokens. Closing the generator stops the work and leaves the
        session usable, holding what was yielded.
        """
        ...

    async def rewind(self, n_tokens: int) -> None:
        """Keep the first `n_tokens` tokens and drop the rest."""
        ...

    async def save(self, retention: Retention = Retention.RECENT) -> None:
        """Keep what is computed of the session on disk, to be found by its tokens; computes nothing.

        May run beside the session's next call. Raises `StoreError` when there is no room, or no store.
        """
        ...


class Engine(Protocol):
    """A loaded model. One worker owns it; calls from several sessions are done one after another."""

    name: str
    context_tokens: int
    chat_template: str  # Jinja source, as the model ships it
    bos_token: str  # the names that the template may write out; empty where the model has none
    eos_token: str

    @property
    def keeper(self) -> Keeper | None:
        """Where contexts are kept; None where nothing outlives the process."""
        ...

    @property
    def prefill_rate(self) -> float:
        """Prompt tokens computed per second, lately; 0.0 where none were."""
        ...

    def encode(self, text: str, *, special: bool) -> list[int]:
        """Token ids of `text`; the names of special tokens become those tokens only when `special`."""
        ...

    async def open(self) -> Session:
        """A new, empty session."""
        ...

    async def restore(self, tokens: Sequence[int]) -> Session:
        """A session that holds the longest beginning of `tokens` that this model kept; perhaps nothing."""
        ...

    async def close(self) -> None:
        """Free the model and stop its worker."""
        ...
