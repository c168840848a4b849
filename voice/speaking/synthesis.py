"""What every speech synthesiser offers; `voice/speaking/engines/` holds the concrete ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.errors import UtterError

Samples = NDArray[np.float32]


class SynthesisError(UtterError):
    """A voice could not be loaded."""


class Synthesiser(Protocol):
    """Turns one clause into audio. Used by one worker at a time."""

    sample_rate: int

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces in [-1, 1] as they are made; stopping the iteration stops the work.

        They are to be joined: a piece may begin and end within a word. Silence follows each sentence.
        """
        ...
