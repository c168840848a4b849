"""An engine for tests: says what it is told to, with sessions that behave like those of a real one.

A token is one character, so text and tokens are easily compared; pieces are as small as they can be.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import Union

import llguidance

from agent.cache.entry import Retention
from agent.cache.keys import Seed, pack
from agent.decode.calls import Constraint
from agent.decode.guide import Guide
from agent.engine.grammar import check_grammar
from agent.engine.keeper import Keeper
from agent.engine.pieces import PieceMaker
from agent.engine.protocol import ContextFull, EngineError, Finish, Piece, Prefilled

_CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
_SPECIAL = ("<|im_start|>", "<|im_end|>")
_SEED = Seed("scripted", "none", _CHATML, "none", "scripted")
_FIRST_SPECIAL = 0x11_0000  # ordinary tokens are code points, which end before
_ANY_SPECIAL = re.compile("(" + "|".join(map(re.escape, _SPECIAL)) + ")")

Script = Union[Sequence[str], Callable[[str], str]]


class ScriptedEngine:
    """Replies from `script`: texts used up one per generation, or a function of the whole prompt's text.

    `prompts` are the texts of the prompts so far, one per generation, for tests to look at. Contexts
    are kept in the folder `keep_in`.
    """

    name = "scripted"
    chat_template = _CHATML
    bos_token = ""
    eos_token = "<|im_end|>"

    def __init__(self, script: Script, *, context_tokens: int = 100_000, keep_in: Path | None = None) -> None:
        self.context_tokens = context_tokens
        self.prompts: list[str] = []
        self.keeper = Keeper(keep_in, None, _SEED, ".kv") if keep_in is not None else None
        self.prefill_rate = 0.0
        self._script = script

    def encode(self, text: str, *, special: bool) -> list[int]:
        """See `Engine.encode`."""
        parts = _ANY_SPECIAL.split(text) if special else [text]
        return [
            token
            for part in parts
            for token in (
                [_FIRST_SPECIAL + _SPECIAL.index(part)] if special and part in _SPECIAL else map(ord, part)
            )
        ]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of `tokens`, special ones by name."""
        return "".join(
            chr(token) if token < _FIRST_SPECIAL else _SPECIAL[token - _FIRST_SPECIAL] for token in tokens
        )

    async def open(self) -> ScriptedSession:
        return ScriptedSession(self, ())

    async def restore(self, tokens: Sequence[int]) -> ScriptedSession:
        """See `Engine.restore`."""
        found = await self.keeper.find(tokens) if self.keeper is not None else None
        return ScriptedSession(self, tuple(tokens[: found.n_shared]) if found is not None else ())

    async def close(self) -> None:
        if self.keeper is not None:
            await self.keeper.close()

    def reply(self, prompt: str, constraint: Constraint) -> str:
        """What comes after `prompt`. Raises `EngineError` if `constraint` forbids it or none is left."""
        number = len(self.prompts)
        self.prompts.append(prompt)
        if callable(self._script):
            text = self._script(prompt)
        elif number < len(self._script):
            text = self._script[number]
        else:
            raise EngineError(f"The script has no text for generation {number + 1}, after: …{prompt[-200:]}")
        if constraint is not None:
            _check(text, constraint)
        return text


class ScriptedSession:
    """See `Session`."""

    def __init__(self, engine: ScriptedEngine, tokens: tuple[int, ...]) -> None:
        self._engine = engine
        self._tokens = tokens
        self._computed_tokens = 0

    @property
    def tokens(self) -> tuple[int, ...]:
        return self._tokens

    @property
    def computed_tokens(self) -> int:
        return self._computed_tokens

    async def prefill(self, tokens: Sequence[int], *, leave_tail: bool = False) -> Prefilled:
        """See `Session.prefill`; there is nothing to leave."""
        before = len(self._tokens)
        if before + len(tokens) >= self._engine.context_tokens:
            raise ContextFull(f"{before + len(tokens)} tokens do not fit into {self._engine.context_tokens}.")
        self._computed_tokens += len(tokens)
        await asyncio.sleep(0)
        self._tokens += tuple(tokens)
        return Prefilled(before, len(tokens))

    async def generate(
        self,
        constraint: Constraint,
        stop: Sequence[str],
        max_tokens: int,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> AsyncGenerator[Piece, None]:
        """See `Session.generate`; temperature and seed change nothing."""
        if not self._tokens:
            raise EngineError("There is nothing to continue: the session is empty.")
        text = self._engine.reply(self._engine.decode(self._tokens), constraint)
        room = min(max_tokens, self._engine.context_tokens - len(self._tokens))
        maker = PieceMaker(stop)
        for char in text[:room]:
            await asyncio.sleep(0)
            for piece in maker.push(ord(char), char.encode()):
                self._tokens += piece.tokens
                yield piece
            if maker.finished:
                return
        last = maker.finish(Finish.LENGTH if len(text) >= room else Finish.END_OF_TURN)
        self._tokens += last.tokens
        yield last

    async def rewind(self, n_tokens: int) -> None:
        """See `Session.rewind`."""
        self._tokens = self._tokens[:n_tokens]

    async def save(self, retention: Retention = Retention.RECENT) -> None:
        """See `Session.save`; the file is the tokens."""
        keeper, content = self._engine.keeper, pack(self._tokens)
        if keeper is None or (pending := keeper.begin(self._tokens, len(content), retention)) is None:
            return
        with keeper.abandoned_on_error(pending):
            pending.path.write_bytes(content)
        await keeper.commit(pending, lambda _path: len(content))


def _check(text: str, constraint: Constraint) -> None:
    """A script that breaks its grammar would prove what no model can do."""
    check_grammar(constraint)
    tokeniser = llguidance.LLTokenizer("byte")
    guide = Guide(constraint, lambda: tokeniser, lambda byte: bytes([byte]), frozenset())
    forced = guide.forced()
    for byte in text.encode():
        if forced[:1] == (byte,):
            forced = forced[1:]
        elif not forced and guide.admits(byte):
            forced = guide.take(byte)[1:]
        else:
            break
    else:
        if guide.may_end and not forced:
            return
    raise EngineError(f"The script says {text!r}, which the grammar does not allow:\n{constraint}")
