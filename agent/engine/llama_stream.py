"""Recovers every token id from llama.cpp's completion stream. Pure; used by llamacpp.py.

The server sends no event for a token that ends inside a character: the next one brings the text of both, but
only the last id. Text held back as a possible stop string likewise comes with a later event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.engine.vocabulary import Vocabulary


@dataclass(frozen=True)
class Token:
    """A generated token and the bytes of its text."""

    id: int
    text: bytes


class TokenStream:
    """Fed the events of one completion, gives back its tokens in order, those without an event included."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._predicted = 0
        self._unsent = b""  # of tokens given back: text that the server holds
        self._waiting: list[int | None] = []  # None: a token whose id was not sent

    def push(self, text: str, tokens: Sequence[int], predicted: int) -> list[Token]:
        """The tokens one event makes known; `predicted` is the server's own count of tokens so far."""
        missing = predicted - self._predicted - len(tokens)
        self._predicted = predicted
        self._waiting += [*[None] * missing, *tokens]
        sent = text.encode()
        known = [self._token(token) for token in self._waiting if token is not None]
        if len(known) == len(self._waiting):
            self._unsent = (self._unsent + b"".join(token.text for token in known))[len(sent) :]
        elif sent:
            known = self._fill(sent[len(self._unsent) :], len(self._waiting) - len(known))
            self._unsent = b""
        else:
            return []
        self._waiting.clear()
        return known

    def _fill(self, text: bytes, missing: int) -> list[Token]:
        """The waiting tokens, which together read `text`, with the `missing` ones found by their bytes."""
        gap = self._waiting.index(None)
        before = [self._token(token) for token in self._waiting[:gap] if token is not None]
        after = [self._token(token) for token in self._waiting[gap:] if token is not None]
        head, tail = (b"".join(token.text for token in part) for part in (before, after))
        middle = text[len(head) : len(text) - len(tail)]
        if head + middle + tail == text and (ids := _split(self._vocabulary, middle, missing)) is not None:
            return [*before, *map(self._token, ids), *after]
        # Other tokens with the same text serve as well: the session's own tokens are what is sent next time.
        return [self._token(token) for token in _longest(self._vocabulary, text)]

    def _token(self, token: int) -> Token:
        return Token(token, self._vocabulary.bytes_of(token))


def _split(vocabulary: Vocabulary, text: bytes, count: int) -> list[int] | None:
    """`text` as exactly `count` tokens, the longest first where there is a choice; None if impossible."""
    if count == 0:
        return None if text else []
    for end in range(len(text) - count + 1, 0, -1):
        if (token := vocabulary.id_of.get(text[:end])) is None:
            continue
        if (rest := _split(vocabulary, text[end:], count - 1)) is not None:
            return [token, *rest]
    return None


def _longest(vocabulary: Vocabulary, text: bytes) -> list[int]:
    """`text` as tokens, each the longest that fits."""
    tokens: list[int] = []
    while text:
        end = next((end for end in range(len(text), 0, -1) if text[:end] in vocabulary.id_of), None)
        if end is None:
            break
        tokens.append(vocabulary.id_of[text[:end]])
        text = text[end:]
    return tokens
