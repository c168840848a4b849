"""Writes a call's arguments as JSON piece by piece, so that what is out so far is always a legal prefix."""

from __future__ import annotations

import json
from typing import Any


class ArgumentsWriter:
    """One JSON object. Each method returns the fragment to send next."""

    def __init__(self) -> None:
        self._is_first = True
        self._in_value = False

    def begin(self, name: str) -> str:
        """Open the value of `name`, a string, closing the one before."""
        opening = self._next(name)
        self._in_value = True
        return f'{opening}"'

    def text(self, piece: str) -> str:
        """Some more of the open value."""
        return json.dumps(piece, ensure_ascii=False)[1:-1]

    def whole(self, name: str, value: Any) -> str:
        """The value of `name`, at once."""
        return self._next(name) + json.dumps(value, ensure_ascii=False)

    def end(self) -> str:
        """Close the object."""
        return "{}" if self._is_first else '"}' if self._in_value else "}"

    def _next(self, name: str) -> str:
        opening = "{" if self._is_first else '", ' if self._in_value else ", "
        self._is_first, self._in_value = False, False
        return f"{opening}{json.dumps(name, ensure_ascii=False)}: "
