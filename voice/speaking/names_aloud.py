"""Names, paths and counts as they are said: pure functions from written to spoken words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

_SMALL = "zero one two three four five six seven eight nine ten eleven twelve".split()  # noqa: SIM905
_SPELLED = re.compile(r"[^aeiou]{1,4}|cpp|ico|exe")  # extensions with no vowel are said letter by letter
_WORD_BORDER = re.compile(
    r"[\W_]+"
    r"|(?<=[^\W\d_A-Z])(?=[A-Z])"  # parse|Config
    r"|(?<=[A-Z])(?=[A-Z][^\W\d_A-Z]{2})"  # HTTP|Client, but not UR|Ls
    r"|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"  # utf|8
)
_ACRONYMS = frozenset(
    {"API", "CLI", "CPU", "CSS", "CSV", "DB", "GPU", "HTML", "HTTP", "HTTPS", "ID", "IO", "IP"}
    | {"SQL", "SSH", "UI", "URL", "UTF", "UUID", "XML"}
)
_LONG_NAME_CHARS = 60


def number(value: int) -> str:
    """A whole number: in words up to twelve, in digits above, with "minus" where it is negative."""
    if value < 0:
        return f"minus {number(-value)}"
    return _SMALL[value] if value < len(_SMALL) else str(value)


def count(value: int, singular: str, plural: str = "") -> str:
    """`value` things: "one file", "two files", "no files"."""
    if value == 0:
        return f"no {plural or singular + 's'}"
    return f"{number(value)} {singular if value == 1 else plural or singular + 's'}"


def listed(items: Sequence[str], more: int = 0) -> str:
    """ "a", "a and b", "a, b and c"; with `more` left out: "a, b and four more"."""
    every = [*items, f"{number(more)} more"] if more else list(items)
    if len(every) < 2:
        return "".join(every)
    return f"{', '.join(every[:-1])} and {every[-1]}"


def capital(text: str) -> str:
    """`text` as the beginning of a sentence."""
    return text[:1].upper() + text[1:]


def identifier(name: str) -> str:
    """`parse_config` → "parse config", `HTTPClient` → "HTTP client", `__init__` → "init"."""
    is_constant = name.isupper()
    words: list[str] = []
    for word in filter(None, _WORD_BORDER.split(name)):
        if word.upper() in _ACRONYMS:
            words.append(word.upper())
        elif len(word) > 1 and word[:-1].isupper() and not is_constant:
            words.append(word)  # an acronym that we do not know, perhaps with a plural s
        else:
            words.append(word if word == name else word.lower())
    said = " ".join(words)
    if len(said) <= _LONG_NAME_CHARS:
        return said
    return said[: _LONG_NAME_CHARS + 1].rpartition(" ")[0] or said[:_LONG_NAME_CHARS]


def file_name(path: str) -> str:
    """The last part of `path`, its dots said: "src/calc.py" → "calc dot py", ".env" → "dot env"."""
    name = PurePosixPath(path.replace("\\", "/")).name
    if not name:
        return "the top folder"
    stem, *extensions = name.split(".")
    said = [_stem(stem)] if stem else []
    for extension in extensions:
        said += ["dot", _extension(extension)]
    return " ".join(word for word in said if word)


def file_names(paths: Sequence[str]) -> list[str]:
    """The spoken name of each path; where two share a name, the folder is said with it."""
    plain = [file_name(path) for path in paths]
    said: list[str] = []
    for path, name in zip(paths, plain, strict=True):
        folder = PurePosixPath(path).parent.name
        said.append(f"{name} in {identifier(folder)}" if plain.count(name) > 1 and folder else name)
    return said


def _stem(stem: str) -> str:
    said = identifier(stem)
    if not said:  # pictures alone: their names
        return " ".join(unicodedata.name(sign, "").lower() for sign in stem)[:_LONG_NAME_CHARS].strip()
    return said.lower() if stem.isupper() and len(stem) > 1 else said


def _extension(extension: str) -> str:
    lowered = extension.lower()
    if lowered == "py":  # the one everybody says as a word
        return "py"
    if _SPELLED.fullmatch(lowered):
        return " ".join(lowered.upper())
    return identifier(extension) or lowered
