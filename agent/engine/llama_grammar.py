"""The tokeniser of a GGUF model in llguidance's form: the client follows grammars beside the server."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import llguidance
import numpy as np
from numpy.typing import NDArray

from agent.engine.llama_server import LlamaServer
from agent.engine.vocabulary import CONTROL, UNKNOWN, UNUSED, Vocabulary


class LlamaGrammars:
    """Made when first asked for, which takes about a second; from any thread."""

    def __init__(self, server: LlamaServer, vocabulary: Vocabulary) -> None:
        self._server = server
        self._vocabulary = vocabulary
        self._lock = threading.Lock()
        self._made: llguidance.LLTokenizer | None = None
        eos_token = vocabulary.eos_token.encode()
        self.eos_tokens = frozenset(
            token for token, text in enumerate(vocabulary.texts) if eos_token and text == eos_token
        )

    def tokeniser(self) -> llguidance.LLTokenizer:
        """The tokeniser; the usual tokens of a text are the server's own."""
        with self._lock:
            if self._made is None:
                described = _Described(self._server, self._vocabulary, min(self.eos_tokens, default=0))
                self._made = llguidance.LLTokenizer(llguidance.TokenizerWrapper(described), slices=[])
            return self._made


class _Described:
    """What `llguidance.TokenizerWrapper` wants to know of a tokeniser."""

    def __init__(self, server: LlamaServer, vocabulary: Vocabulary, eos_token: int) -> None:
        self._server = server
        self.eos_token_id = eos_token
        self.bos_token_id = None
        self.tokens = [
            b"" if kind == UNUSED else vocabulary.bytes_of(token) or text
            for token, (text, kind) in enumerate(zip(vocabulary.texts, vocabulary.types, strict=True))
        ]
        self.special_token_ids = [
            token for token, kind in enumerate(vocabulary.types) if kind in (CONTROL, UNKNOWN)
        ]

    def __call__(self, text: bytes) -> list[int]:
        return self._server.tokenise([text.decode()], special=False)


def one_of(admitted: NDArray[np.bool_], *, may_end: bool) -> str:
    """A grammar for a single token among those that are `admitted`, shape (vocabulary,), in Lark.

    With `may_end`, the text may end instead.
    """
    tokens = np.flatnonzero(admitted)
    runs = np.split(tokens, np.flatnonzero(np.diff(tokens) != 1) + 1)
    return f"start: <[{','.join(map(_range, runs))}]>{'?' if may_end else ''}\n"


def _range(run: Sequence[int] | NDArray[np.int64]) -> str:
    return f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}"
