"""Short pieces of code as they are said: "return a + b" → "return a plus b". No symbol is read raw."""

from __future__ import annotations

import re

from voice.speaking.names_aloud import file_name, identifier, number

MAX_WORDS = 16  # more than this is not understood by ear
_JOINING = {"of", "at", "dot", ","}
_CONTEXT_WORDS = 2  # kept on each side of what changed in a long line

_OPERATORS = {
    "==": "equals", "===": "equals", "!=": "is not equal to", "!==": "is not equal to",
    "<=": "is at most", ">=": "is at least", "<": "is less than", ">": "is greater than",
    "=": "set to", ":=": "set to", "+=": "plus equals", "-=": "minus equals", "*=": "times equals",
    "/=": "divided equals", "+": "plus", "-": "minus", "*": "times", "/": "divided by",
    "//": "floor divided by", "%": "modulo", "**": "to the power of", "->": "returns", "=>": "gives",
    "&&": "and", "||": "or", "!": "not", "&": "and", "|": "or", "^": "x or", "~": "not",
    "<<": "shifted left by", ">>": "shifted right by", "@": "at", "++": "plus plus", "--": "minus minus",
    "::": "", "...": "and so on", "?": "if so", "$": "",
}  # fmt: skip
_TOKEN = re.compile(
    r"""
      (?P<string>[rbfuRBFU]{0,2}(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'))
    | (?P<comment>(?:\#|//\ )\s*.*)
    | (?P<path>(?<![\w)\]/])[.~]{0,2}/[\w./-]*\w
        | (?:[\w.-]+/)*[\w-]+\.(?:py|md|txt|toml|ya?ml|json|cfg|ini|js|tsx?|rs|cpp|sh|html|css)\b)
    | (?P<flag>(?<![\w)\]])--?[A-Za-z][\w-]+)
    | (?P<number>0[xX][0-9a-fA-F]+|\d[\d_]*(?:\.\d+)*(?:[eE][+-]?\d+)?)
    | (?P<name>\w+)
    | (?P<empty>\(\s*\)|\[\s*\]|\{\s*\})
    | (?P<operator>===|!==|\.\.\.|\*\*|//|<<|>>|->|=>|:=|==|!=|<=|>=|\+=|-=|\*=|/=|&&|\|\||\+\+|--|::
        | [-+*/%<>=!&|^~@?$])
    | (?P<open>[(\[{]) | (?P<dot>(?<=\w)\.(?=\w)) | (?P<comma>[,;\n])
    """,
    re.VERBOSE,
)
_SWITCH_AFTER = re.compile(r"[A-Za-z](?=\s|$)")
_WORD_BEFORE = re.compile(
    r"(?<!\breturn)(?<!\byield)(?<!\bnot)(?<!\bin)(?<!\bis)(?<!\bor)(?<!\band)(?<=\w)\s+$"
)
# A password or key with its value written out: in quotes, or as in `.env` and YAML with a digit in it.
_SECRET = re.compile(
    r"(?:password|passwd|passphrase|secret|credential|token|(?:api|access|private|auth)[_-]?key)\w*['\"]?"
    r"(?:\s*[:=]\s*['\"][^'\"\s]{4,}['\"]|(?:=|:\ )(?=\S*\d)[^\s'\"()\[\]{}]{4,}$)",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\[ntr\\'\"0]")


def code(text: str, max_words: int = MAX_WORDS) -> str:
    """`text`, one or a few lines of code, in words; cut after `max_words` with "and so on"."""
    words = _words(text)
    if len(words) > max_words:
        words = [*words[:max_words], "and so on"]
    return _joined(words)


def value(text: str) -> str:
    """A value as a test runner prints it: "-3" → "minus 3", "''" → "an empty string"."""
    bare = text.strip()
    special = {"": "nothing", "''": "an empty string", '""': "an empty string", "[]": "an empty list"}
    special |= {"()": "an empty tuple", "{}": "an empty dictionary", "set()": "an empty set"}
    if bare in special:
        return special[bare]
    if re.fullmatch(r"[+-]?\d{1,15}", bare):
        return number(int(bare))
    return code(bare)


def change(before: str, after: str) -> str:
    """How a line became another: "return a plus b became return a minus b", or the part of it that differs.

    Empty when the two cannot be told apart by ear, as when only quotes or spaces differ. What looks like a
    password or a key is not read out.
    """
    if _SECRET.search(before.strip()) or _SECRET.search(after.strip()):
        return "a line that may hold a secret changed"
    old, new = _words(before), _words(after)
    if old == new:
        return ""
    if not old:
        return f"{code(after)} was added"
    if not new:
        return f"{code(before)} was removed"
    if max(len(old), len(new)) > MAX_WORDS // 2:
        old, new = _around_difference(old, new)
    if max(len(old), len(new)) > MAX_WORDS:
        return "the line was rewritten"
    return f"{_joined(old)} became {_joined(new)}"


def _around_difference(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    shortest = min(len(old), len(new))
    head = next((i for i in range(shortest) if old[i] != new[i]), shortest)
    tail = next((i for i in range(shortest - head) if old[-1 - i] != new[-1 - i]), shortest - head)
    # Words that only join what is left out to what is said are left out as well.
    first = max(0, head - _CONTEXT_WORDS)
    while first < head and old[first] in _JOINING:
        first += 1
    last = max(0, tail - _CONTEXT_WORDS)
    while last < tail and old[-1 - last] in _JOINING:
        last += 1
    return old[first : len(old) - last], new[first : len(new) - last]


def _words(text: str) -> list[str]:
    return [word for match in _TOKEN.finditer(text) for word in _said(match).split()]


def _said(match: re.Match[str]) -> str:
    token, before = match.group(), match.string[: match.start()]
    kind = match.lastgroup
    if kind == "string":
        return _string(token)
    if kind == "comment":
        return "comment " + re.sub(r"[^\w\s]", " ", token)
    if kind == "path":
        return file_name(token)
    if kind in {"flag", "name"}:
        return identifier(token)
    if kind == "number":
        return token.replace("_", "")
    if kind == "empty":
        return {"[": "an empty list", "{": "an empty dictionary"}.get(token[0], "")
    if kind == "operator":
        if token == "-" and _SWITCH_AFTER.match(match.string, match.end()) and _WORD_BEFORE.search(before):
            return ""  # an option of a command
        is_unpacking = token in ("*", "**") and re.search(r"(?:^|[(\[{,=:])\s*$", before)
        return "star" if is_unpacking else _OPERATORS[token]
    if kind == "open":
        called = re.search(r"[\w\])]$", before)
        return {"(": "of", "[": "at"}.get(token, "") if called else ""
    return "dot" if kind == "dot" else ","


def _string(token: str) -> str:
    body = _ESCAPE.sub(" ", token.lstrip("rbfuRBFU")[1:-1])
    return " ".join(_words(body)) if body.strip() else "an empty string"


def _joined(words: list[str]) -> str:
    """Words with their commas set right: none doubled, none at an end."""
    return re.sub(r"(?:\s*,)+", ",", " ".join(words)).strip(" ,")
