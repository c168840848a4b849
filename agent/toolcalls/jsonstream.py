"""Writes a call's arguments as JSON piece by piece, so that what is out so far is always a legal prefix."""

from __future__ import annotations

import json


class ArgumentsWriter:
    """One JSON object of string values. Each method returns the fragment to send next."""

    def __init__(self) -> None:
        self._is_first = True
        self._in_value = False

    def begin(self, name: str) -> str:
        """Open the value of `name`, closing the one before."""
        opening = "{" if self._is_first else '", ' if self._in_value else ", "
        self._is_first, self._in_value = False, True
        return f'{opening}{json.dumps(name)}: "'

    def text(self, piece: str) -> str:
        """Some more of the open value."""
        return json.dumps(piece, ensure_ascii=False)[1:-1]

    def end(self) -> str:
        """Close the object."""
        return "{}" if self._is_first else '"}' if self._in_value else "}"
