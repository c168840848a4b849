"""How a name in code is spoken: its words, and one key for all the ways of writing them. Pure."""

from __future__ import annotations

import re

# What Whisper base writes for an extension that was spoken, by what was meant. Heard in synthetic requests.
MISHEARD_EXTENSIONS = {
    "py": ("pie", "pi", "pai", "pye", "pipe", "p"),
    "toml": (
        "tomo",
        "tomel",
        "tamil",
        "tumble",
        "toml",
        "tom",
        "tommel",
        "tommle",
        "tomor",
        "tomorrow",
        "tama",
        "tarmor",
    ),
    "json": ("jason", "jayson", "jsn"),
    "yaml": ("yamel", "yammel", "yamal", "camel"),
    "yml": ("yaml", "yamel"),
    "md": ("markdown",),
    "txt": ("text",),
    "js": ("jas", "jazz"),
    "ts": ("tes",),
    "rs": ("rust",),
    "cpp": ("cplusplus",),
    "html": ("htm",),
    "sh": ("shell",),
}

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_NUMBERS = {word: str(number) for number, word in enumerate(_DIGITS)}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def spoken_words(name: str) -> tuple[str, ...]:
    """The words of an identifier or file stem: snake, kebab and camel case and digits are taken apart.

    >>> spoken_words("parseHTTPConfig_v2")
    ('parse', 'http', 'config', 'v', '2')
    """
    return tuple(word.lower() for word in _WORD.findall(name))


def key(words: tuple[str, ...] | list[str]) -> str:
    """One string for words however they were separated; spoken digits are digits."""
    return "".join(_NUMBERS.get(word.lower(), word.lower()) for word in words)


def path_keys(path: str) -> list[str]:
    """The keys by which a file may be named: its name, then with more and more of its folders.

    The dot and the slashes stay in: `shelf/config.py` gives `config.py` and `shelf/config.py`.
    """
    parts = [".".join(key(spoken_words(piece)) for piece in part.split(".")) for part in path.split("/")]
    return ["/".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]
