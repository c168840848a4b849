"""Drafts of what comes next, found by n-gram in what is already there (prompt lookup). Pure.

Method: Saxena, "Prompt Lookup Decoding", 2023, https://github.com/apoorvumang/prompt-lookup-decoding
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass

# Tokens that must agree before the place found, longest first: the longer, the likelier the draft is right.
NGRAM_TOKENS = (24, 12, 6, 4, 3, 2)

_ID = "I"
_ID_BYTES = array(_ID).itemsize


@dataclass(frozen=True)
class Draft:
    """`tokens` may come next; the `matched` tokens before the place they come from are the last written."""

    tokens: tuple[int, ...]
    matched: int


class Lookup:
    """The tokens of a session, and texts beside it that are likely to be repeated."""

    def __init__(self, tokens: Sequence[int], sources: Sequence[Sequence[int]] = ()) -> None:
        self._written = array(_ID, tokens)
        self._packed = bytearray(self._written.tobytes())
        self._sources = [array(_ID, source).tobytes() for source in sources]

    def append(self, tokens: Sequence[int]) -> None:
        """`tokens` were written."""
        more = array(_ID, tokens)
        self._written.extend(more)
        self._packed += more.tobytes()

    def add_source(self, tokens: Sequence[int]) -> None:
        """`tokens` may be repeated although they are not in the session."""
        self._sources.append(array(_ID, tokens).tobytes())

    def draft(self, max_tokens: int) -> Draft | None:
        """Up to `max_tokens` that followed when the latest tokens, as many as can be, last stood there."""
        for count in NGRAM_TOKENS:
            if count >= len(self._written):
                continue
            ngram = bytes(self._packed[-count * _ID_BYTES :])
            # The session itself without its last token, so that the n-gram does not find itself.
            end = _find_last(self._packed, ngram, len(self._packed) - _ID_BYTES)
            if end is not None:
                return Draft(self._copy(end, max_tokens), count)
            for source in self._sources:
                end = _find_last(source, ngram, len(source) - _ID_BYTES)
                if end is not None:
                    return Draft(tuple(array(_ID, source[end : end + max_tokens * _ID_BYTES])), count)
        return None

    def _copy(self, start: int, max_tokens: int) -> tuple[int, ...]:
        """What follows in the session; where it reaches its end it repeats, as in Lempel-Ziv 77."""
        found = self._written[start // _ID_BYTES :][:max_tokens]
        times = -(-max_tokens // len(found))
        return tuple((found * times)[:max_tokens])


def _find_last(data: bytes | bytearray, ngram: bytes, limit: int) -> int | None:
    """Where the last `ngram` of whole tokens before `limit` ends, in bytes."""
    at = data.rfind(ngram, 0, max(limit, 0))
    while at >= 0 and at % _ID_BYTES:
        at = data.rfind(ngram, 0, at + len(ngram) - 1)
    return at + len(ngram) if at >= 0 else None
