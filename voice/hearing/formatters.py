"""The ways to write several words as one name, by what Talon and Serenade call them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Formatter = Callable[[Sequence[str]], str]


def _camel(words: Sequence[str]) -> str:
    return words[0].lower() + "".join(map(_capitalised, words[1:]))


def _capitalised(word: str) -> str:
    return word[:1].upper() + word[1:]


FORMATTERS: Mapping[str, Formatter] = {
    "snake": lambda words: "_".join(words),
    "camel": _camel,
    "pascal": lambda words: "".join(map(_capitalised, words)),
    "kebab": lambda words: "-".join(words),
    "constant": lambda words: "_".join(words).upper(),
    "dotted": lambda words: ".".join(words),
    "path": lambda words: "/".join(words),
    "packed": lambda words: "::".join(words),
    "smash": lambda words: "".join(words),
    "dunder": lambda words: f"__{'_'.join(words)}__",
}

SPOKEN: Mapping[tuple[str, ...], str] = {
    **{(name,): name for name in FORMATTERS},
    **{(name, "case"): name for name in ("snake", "camel", "pascal", "kebab", "constant")},
    ("hammer",): "pascal",
    ("hammer", "case"): "pascal",
    ("upper", "snake", "case"): "constant",
    ("screaming", "snake", "case"): "constant",
    ("slasher",): "path",
    ("conga",): "path",
    ("double", "underscore"): "dunder",
    ("double", "_"): "dunder",
}
"""What is said before the words, and the formatter that it names."""

ALWAYS = frozenset({"dunder"})
"""No English word: it means itself wherever it stands."""
