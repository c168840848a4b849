"""Turns generated tokens into pieces of text, cut at UTF-8 borders and stop strings. Pure; no engine in it"""

from __future__ import annotations

from collections.abc import Sequence

from agent.engine.protocol import Finish, Piece


class PieceMaker:
    """Fed one token at a time; gives back the pieces that are safe to yield.

    Tokens are held back while their bytes end inside a character or could be the beginning of a stop string.
    A token without text waits for the next one: it may be the end-of-sequence token.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stops = tuple(text.encode() for text in stop if text)
        self._held: list[tuple[int, bytes]] = []
        self._silent: list[tuple[int, bytes]] = []
        self.finished = False

    def push(self, token: int, token_bytes: bytes) -> list[Piece]:
        """The pieces that `token` with its `token_bytes` makes ready; sets `finished` at a stop string."""
        if not token_bytes:
            self._silent.append((token, token_bytes))
            return []
        self._held += [*self._silent, (token, token_bytes)]
        self._silent.clear()
        text = b"".join(part for _, part in self._held)
        stop_at = min((at for at in (text.find(stop) for stop in self._stops) if at >= 0), default=-1)
        if stop_at >= 0:
            return self._cut(stop_at)
        safe = len(text) - max((_overlap(text, stop) for stop in self._stops), default=0)
        count = self._whole_tokens(text, safe)
        return [self._release(count)] if count else []

    def finish(self, reason: Finish) -> Piece:
        """The last piece: all that was held, except tokens without text or ending inside a character."""
        text = b"".join(part for _, part in self._held)
        piece = self._release(self._whole_tokens(text, len(text)))
        self._held.clear()
        self.finished = True
        return Piece(piece.text, piece.tokens, reason)

    def _cut(self, stop_at: int) -> list[Piece]:
        text = b"".join(part for _, part in self._held)
        count = self._whole_tokens(text, stop_at)
        pieces = [self._release(count)] if count else []
        rest = b"".join(part for _, part in self._held)
        left = rest[: stop_at - (len(text) - len(rest))]
        self._held.clear()
        self.finished = True
        return [*pieces, Piece(left.decode(errors="replace"), (), Finish.STOP)]

    def _whole_tokens(self, text: bytes, limit: int) -> int:
        """How many held tokens lie before `limit` and end at a character's border."""
        count = end = 0
        for number, (_, part) in enumerate(self._held, start=1):
            end += len(part)
            if end > limit:
                break
            if not ends_inside_character(text[:end]):
                count = number
        return count

    def _release(self, count: int) -> Piece:
        released, self._held = self._held[:count], self._held[count:]
        text = b"".join(part for _, part in released).decode(errors="replace")
        return Piece(text, tuple(token for token, _ in released))


def ends_inside_character(text: bytes) -> bool:
    """Whether `text` ends with the first bytes of a longer UTF-8 sequence (RFC 3629)."""
    for back in range(1, min(3, len(text)) + 1):
        byte = text[-back]
        if byte & 0b1100_0000 == 0b1000_0000:
            continue
        length = 2 if byte >> 5 == 0b110 else 3 if byte >> 4 == 0b1110 else 4 if byte >> 3 == 0b11110 else 1
        return length > back
    return False


def _overlap(text: bytes, stop: bytes) -> int:
    """Length of the longest end of `text` that is a beginning of `stop`."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
