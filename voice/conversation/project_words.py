"""The words of one project, in a plain file: names to know, and what is written for what is heard.

Each line is either a word, or what is heard, an arrow and what is meant: `cloud code -> Claude Code`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agent.errors import UtterError
from voice.conversation.words import plain_words

_ARROW = " -> "
_FREQUENT = 1000  # a word that was taught comes before any that is only found in the code


@dataclass(frozen=True)
class ProjectWords:
    """`words` are names as they are written; `meanings` are by what is heard, in plain words."""

    words: tuple[str, ...] = ()
    meanings: Mapping[str, str] = field(default_factory=dict[str, str])

    def with_word(self, word: str) -> ProjectWords:
        """One word more."""
        return ProjectWords((*(one for one in self.words if one != word), word), self.meanings)

    def with_meaning(self, heard: str, meant: str) -> ProjectWords:
        """From now on `meant` is written for `heard`."""
        return ProjectWords(self.words, {**self.meanings, " ".join(plain_words(heard)): meant})

    def without(self, word: str) -> ProjectWords:
        """Without that word, whichever way it was taught."""
        plain = plain_words(word)
        words = tuple(one for one in self.words if plain_words(one) != plain)
        meanings = {
            heard: meant
            for heard, meant in self.meanings.items()
            if plain not in (plain_words(heard), plain_words(meant))
        }
        return ProjectWords(words, meanings)

    def applied(self, text: str) -> str:
        """`text` with what is meant in place of what was heard, whole words only, the longest first."""
        for heard in sorted(self.meanings, key=len, reverse=True):
            pattern = r"\b" + r"[\s,.-]+".join(map(re.escape, heard.split())) + r"\b"
            meant = self.meanings[heard]
            text = re.sub(pattern, lambda _, meant=meant: meant, text, flags=re.IGNORECASE)
        return text

    def added_to(self, identifiers: Mapping[str, float]) -> dict[str, float]:
        """`identifiers` of a lexicon, and these."""
        return {**identifiers, **dict.fromkeys(self.words, _FREQUENT)}


def load(path: Path) -> ProjectWords:
    """The file's words; none when there is no file. Raises `UtterError` when it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return ProjectWords()
    except (OSError, UnicodeDecodeError) as error:
        raise UtterError(f"The words of the project in {path} cannot be read: {error}.") from error
    found = ProjectWords()
    for line in filter(None, map(str.strip, lines)):
        heard, arrow, meant = line.partition(_ARROW)
        found = found.with_meaning(heard, meant.strip()) if arrow else found.with_word(line)
    return found


def save(path: Path, words: ProjectWords) -> None:
    """Write the file anew. Raises `UtterError`."""
    lines = [*words.words, *(f"{heard}{_ARROW}{meant}" for heard, meant in words.meanings.items())]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise UtterError(f"The words of the project cannot be kept in {path}: {error.strerror}.") from error
