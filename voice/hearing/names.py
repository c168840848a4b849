"""How a name in code is spoken: its words, and one key for all the ways of writing them. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

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

# Words that are written short and said in full: what is heard, by what stands in the code.
SAID_IN_FULL = {
    "alloc": ("allocate",),
    "arg": ("argument",),
    "args": ("arguments", "arcs"),
    "attr": ("attribute",),
    "auth": ("off",),
    "bool": ("boolean",),
    "btn": ("button",),
    "buf": ("buffer",),
    "calc": ("calculate", "calculator"),
    "cfg": ("config",),
    "char": ("character",),
    "cmd": ("command",),
    "conf": ("config",),
    "config": ("configuration",),
    "ctx": ("context",),
    "db": ("database",),
    "dest": ("destination",),
    "dir": ("directory",),
    "doc": ("document",),
    "dst": ("destination",),
    "elem": ("element",),
    "env": ("environment",),
    "err": ("error",),
    "expr": ("expression",),
    "fmt": ("format",),
    "fn": ("function",),
    "func": ("function", "funk"),
    "gen": ("generate",),
    "id": ("identifier",),
    "idx": ("index",),
    "impl": ("implementation", "implement"),
    "init": ("initialise", "initialize", "in it"),
    "int": ("integer",),
    "len": ("length",),
    "lib": ("library",),
    "max": ("maximum",),
    "min": ("minimum",),
    "msg": ("message",),
    "num": ("number",),
    "obj": ("object",),
    "param": ("parameter",),
    "params": ("parameters",),
    "pkg": ("package",),
    "pos": ("position",),
    "prev": ("previous",),
    "ptr": ("pointer",),
    "py": ("pie",),
    "ref": ("reference",),
    "regex": ("regular expression",),
    "repo": ("repository",),
    "req": ("request",),
    "res": ("response", "result"),
    "spec": ("specification",),
    "src": ("source",),
    "str": ("string",),
    "temp": ("temporary",),
    "tmp": ("temp", "temporary"),
    "util": ("utility",),
    "utils": ("utilities",),
    "val": ("value",),
    "var": ("variable",),
}

# Words that sound the same, or nearly, and that names in code are often taken for. One row, one sound.
_HOMOPHONES = """ad add
base bass
bite byte
brake break
buy by bye
cache cash
cell sell
chord cord
colour color
cue queue q
die dye
fore four
main mane
new knew
night knight
not knot
one won
or ore
parse pars
passed past
pi pie py
read red reed
right write
role roll
root route
sail sale
serial cereal
site sight cite
sync sink
suite sweet
tail tale
their there
threw through
two too
wait weight
way weigh
where wear
wood would"""
_SAME_SOUND = {word: row[0] for row in map(str.split, _HOMOPHONES.splitlines()) for word in row}

# Words that are said letter by letter.
_SPELT = frozenset(
    re.findall(
        r"\w+",
        "ai api asm ast aws cfg cli cpu css csv db dns dom elf gpu html http https id ide io ip ir jwt md mir"
        " ok orm os rs sdk sql ssh ssl tcp tls ts ui uri url utf uuid vm xml",
    )
)

_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
NUMBERS = {word: str(number) for number, word in enumerate(_DIGITS)}
# A run of capitals, a word of Latin letters, digits, or a run of any other script.
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+|[^\W\d_A-Za-z]+")
_MOST_SPOKEN = 6  # ways to say one name


def spoken_words(name: str) -> tuple[str, ...]:
    """The words of an identifier or file stem: snake, kebab and camel case and digits are taken apart.

    >>> spoken_words("parseHTTPConfig_v2")
    ('parse', 'http', 'config', 'v', '2')
    """
    return tuple(map(str.lower, _WORD.findall(without_accents(name))))


@lru_cache(maxsize=65_536)
def ways_to_say(name: str) -> tuple[tuple[str, ...], ...]:
    """The words of a name, then the ways in which what is written short may be said in full.

    >>> ways_to_say("parse_expr")
    (('parse', 'expr'), ('parse', 'expression'))
    """
    words = spoken_words(name)
    if not SAID_IN_FULL.keys() & set(words) and not _SPELT.intersection(words):
        return (words,)
    found: list[tuple[str, ...]] = [()]
    for word in words:
        meant = (word, *([" ".join(word)] if word in _SPELT else []), *SAID_IN_FULL.get(word, ()))
        found = [(*said, *way.split()) for way in meant for said in found][:_MOST_SPOKEN]
    return tuple(found)


def transcribed(words: Sequence[str]) -> str:
    """Words that are said, as Whisper writes them.

    >>> transcribed(("decode", "jwt"))
    'decode JWT'
    """
    return " ".join([word.upper() if word in _SPELT else word for word in words])


def without_accents(text: str) -> str:
    """Whisper writes "Pār's config"."""
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def key(words: Sequence[str]) -> str:
    """One string for words however they were separated; spoken digits are digits."""
    return "".join([NUMBERS.get(word, word) for word in map(str.lower, words)])


def sound_key(words: Sequence[str]) -> str:
    """As `key`, but words that sound the same are the same."""
    return key([_SAME_SOUND.get(word, word) for word in map(str.lower, words)])


def path_keys(path: str) -> list[str]:
    """The keys by which a file may be named: its name, then with more and more of its folders.

    The dot and the slashes stay in: `shelf/config.py` gives `config.py` and `shelf/config.py`.
    """
    parts = [".".join(key(spoken_words(piece)) for piece in part.split(".")) for part in path.split("/")]
    return ["/".join(parts[at:]) for at in range(len(parts) - 1, -1, -1)]


def said_in_full(path: str) -> str:
    """A path with the words of its folders and its stem in full: `src/msg.py` is "source/message.py"."""
    stem, dot, extension = path.rpartition(".") if "." in path.rpartition("/")[2] else (path, "", "")
    return _WORD.sub(lambda word: SAID_IN_FULL.get(word[0].lower(), (word[0],))[0], stem) + dot + extension
