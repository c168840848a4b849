"""How the words of one project are said, in a plain file: `nginx -> engine x`, one to a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from agent.errors import UtterError
from voice.speaking.synthesis import Samples, Synthesiser

_ARROW = "->"
_LONGEST_CHARS = 200


def pronunciations_file(words_file: Path) -> Path:
    """The file beside that of the project's words, `NAME.txt`: `NAME.said.txt`."""
    return words_file.with_suffix(".said.txt")


def load_pronunciations(path: Path) -> dict[str, str]:
    """What is said by what is written; nothing when there is no file. Lines with a `#` first are remarks.

    Raises `UtterError` with the line that cannot be understood.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise UtterError(f"The pronunciations in {path} cannot be read: {error}.") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        written, arrow, said = (part.strip() for part in line.partition(_ARROW))
        if not (written and arrow and said) or len(line) > _LONGEST_CHARS:
            example = "write what is written, an arrow and what is said, as in `nginx -> engine x`."
            raise UtterError(f"{path}, line {number}: {example}")
        found[written.lower()] = said
    return found


class Pronouncing:
    """Speaks as `voice` does, but says some words as the project wants them said."""

    def __init__(self, voice: Synthesiser, said: Mapping[str, str]) -> None:
        """`said` is by what is written, in lower case."""
        self._voice = voice
        self._said = said
        self.sample_rate = voice.sample_rate
        longest_first = sorted(said, key=len, reverse=True)
        self._pattern = re.compile(
            rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE
        )

    def synthesise(self, clause: str) -> Iterator[Samples]:
        """Yield mono float32 pieces in [-1, 1]."""
        return self._voice.synthesise(self.respelled(clause))

    def respelled(self, text: str) -> str:
        """`text` with those words as they are to be said."""
        return self._pattern.sub(lambda found: self._said[found.group().lower()], text)


def pronouncing(voice: Synthesiser, said: Mapping[str, str]) -> Synthesiser:
    """`voice` itself where there is nothing to be said otherwise."""
    return Pronouncing(voice, said) if said else voice
