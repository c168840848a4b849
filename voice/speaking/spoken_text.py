"""Turns prose with markdown and code in it into what is said aloud; the screen keeps the original."""

from __future__ import annotations

import re
import unicodedata

from agent.code.definitions import defined_in
from voice.speaking.code_aloud import code
from voice.speaking.expanded import expanded
from voice.speaking.names_aloud import capital, count, file_name, identifier, listed

_LANGUAGES = {
    "py": "Python", "python": "Python", "python3": "Python", "js": "JavaScript", "javascript": "JavaScript",
    "ts": "TypeScript", "typescript": "TypeScript", "sh": "shell", "bash": "shell", "console": "shell",
    "rs": "Rust", "rust": "Rust", "go": "Go", "c": "C", "cpp": "C plus plus", "c++": "C plus plus",
    "java": "Java", "json": "JSON", "yaml": "YAML", "toml": "TOML", "html": "HTML", "css": "CSS",
    "sql": "SQL", "diff": "a diff",
}  # fmt: skip
_UNSPEAKABLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "So", "Sk"})  # Unicode general categories
_HELD = "\ue000"
_NAMES_SAID = 3  # of those that a block defines
_READ_OUT_CHARS = 60  # a fenced block of one line up to this long is read like inline code

_FENCE = re.compile(
    r"^[ \t]*```[ \t]*([\w+#-]*)[^\n]*\n(.*?)(?:^[ \t]*```[ \t]*$|\Z)", re.DOTALL | re.MULTILINE
)
_SPAN = re.compile(r"(`+)(.+?)\1")
_PATH_SPAN = re.compile(r"~?[\w.-]{2,}(?:/[\w.-]+)+/?|[./~]+[\w./-]*")

# Markdown, in this order, on text whose code is already in words.
_MARKDOWN = (
    (re.compile(r"!?\[([^\]\n]*)\]\([^)\n]*\)"), r"\1"),
    (re.compile(r"<(https?://[^>\s]+)>"), r"\1"),
    (re.compile(r"</?[A-Za-z][A-Za-z0-9]*(?:\s[^<>\n]*)?/?>"), " "),
    (re.compile(r"^[ \t]*(?:[-*_=][ \t]*){3,}$|^[ \t]*\|?(?:[ \t]*:?-+:?[ \t]*\|)+.*$", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*(?:#{1,6}|>+|[-*+•])[ \t]+(?:\[[ xX]\][ \t]+)?", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*(\d+)[.)][ \t]+", re.MULTILINE), r"\1: "),
    (re.compile(r"^[ \t]*\|(.*?)\|?[ \t]*$", re.MULTILINE), r"\1"),
    (re.compile(r"[ \t]*\|[ \t]*"), ", "),
    (re.compile(r"(\*\*\*|\*\*|~~|(?<!\w)___|(?<!\w)__)(?=\S)(.+?)(?<=\S)\1"), r"\2"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*\n]+?)(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_(?=\S)([^_\n]+?)(?<=\S)_(?!\w)"), r"\1"),
)

_FILE = (
    r"\b[A-Za-z_][\w.-]*\.(?:pyi?|md|rst|txt|toml|ya?ml|json|cfg|ini|lock|jsx?|tsx?|rs|go|rb|java|cpp|hpp|[ch]"
    r"|sh|html|css|csv|wav|flac|gguf|onnx)\b"
)
_TOKENS = re.compile(
    rf"""
      (?P<url>(?:https?|file|ssh|git)://[^\s<>()]*[^\s<>().,;:!?'"] | www\.[^\s<>()]*\w)
    | (?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)
    | (?P<uuid>\b[0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}\b)
    | (?P<hash>\b(?:[Cc]ommit\s+)?(?=[0-9a-f]*[a-f])(?=[a-f]*[0-9])[0-9a-f]{{7,64}}\b)
    | (?P<place>(?:[\w.~-]*/)*{_FILE}:\d+(?:(?:-|–)\d+|:\d+)?)
    | (?P<path>(?:[\w.~-]*/)+{_FILE}\b | {_FILE}\b(?!\.\w) | (?<![\w/])(?:~|\.{{1,2}})?/[\w./-]*\w/?
        | \b[A-Za-z_][\w.-]*(?:/[\w.-]*\w){{2,}}/? | \b[A-Za-z_][\w-]+(?:/[\w.-]+)*/(?!\w))
    | (?P<dotfile>(?<![\w.])\.[a-z]{{3,}}\b)
    | (?P<call>\b[A-Za-z_][\w.]*\(\))
    | (?P<dunder>\b__\w+?__\b)
    | (?P<flag>(?<![\w-])--[a-z][\w-]*(?:=\S*\w)?)
    | (?P<switch>(?<![\w.)\]-])-[A-Za-z]{{1,3}}(?![\w-]))
    | (?P<date>\b\d{{4}}-\d\d-\d\d\b)
    | (?P<range>(?<![\w.-])\d+\s?[-–]\s?\d+(?![\w-]|\.\d))
    | (?P<negative>(?<![\w.)\]-])[-−](?=\.?\d))
    | (?P<blob>(?=[\w+/]*[A-Za-z_])[\w+/=]{{41,}})
    | (?P<dotted>\b[A-Za-z_]\w*(?:\.[A-Za-z_]\w+)+\b(?!/))
    | (?P<name>\b_?[A-Za-z][A-Za-z0-9]*(?:_+[A-Za-z0-9]+)+_?\b | \b[a-z]+[A-Z]\w* | \b[A-Z][a-z0-9]+[A-Z]\w*
        | \b[A-Z]{{2,}}[a-z]{{2,}}\w*)
    | (?P<binary>(?<=[\w)\]])\s*(?:===?|!==?|<=|>=|:=|\+=|-=|\*\*|(?<=\s)[+*<>=/%](?=\s)
        | (?<=\b\w\s)-(?=\s\w\b) | (?<=\d\s)-(?=\s\d))\s*(?=[\w(\[-]))
    """,
    re.VERBOSE,
)
_SYMBOLS = (
    (re.compile(r"(?<=\b[CJ])\+\+"), " plus plus"),
    (re.compile(r"(?<=\b[CF])#"), " sharp"),
    (re.compile(r"\band/or\b"), "and or"),
    (re.compile(r"→|⇒|->|=>"), " to "),
    (re.compile(r"&&?"), " and "),
    (re.compile(r"(?<=\d)\s?%"), " percent"),
    (re.compile(r"[~≈](?=\d)"), "about "),
    (re.compile(r"≤|<="), " at most "),
    (re.compile(r"≥|>="), " at least "),
    (re.compile(r"≠|!="), " is not "),
    (re.compile(r"==+"), " equals "),
    (re.compile(r"(?<=\d)\s?[×*]\s?(?=\d)"), " times "),
    (re.compile(r"(?<=\s)\+(?=\s)"), "plus"),
    (re.compile(r"#(?=\d)"), "number "),
    (re.compile(r"\be\.g\.,?", re.IGNORECASE), "for example,"),
    (re.compile(r"\bi\.e\.,?", re.IGNORECASE), "that is,"),
    (re.compile(r"\betc\.(?=\s*$)"), "and so on."),
    (re.compile(r"\betc\."), "and so on"),
    (re.compile(r"\bvs\."), "versus"),
    (re.compile(r"(?<=[^\W\d])/(?=[^\W\d])"), " or "),
    (re.compile(r"(?<=\d)/(?=\d)"), " over "),
    (re.compile(r"…|\.{3,}"), ". "),
    (re.compile(r"\s+[-–—]+\s+|—"), ", "),
    (re.compile(r"[\"“”„«»]|(?<!\w)['‘’]|['‘’](?!\w)"), ""),
    (re.compile(r"\s*[()\[\]{}]\s*"), ", "),
    (re.compile(r"[`*_#<>|\\^~=@/+]"), " "),
)
_TIDY = (
    (re.compile(r"\s+"), " "),
    (re.compile(r"(?:\s*,)+(?=\s*[.!?:;,])|^[\s,;:.]+"), ""),
    (re.compile(r"\s+([,.!?:;])"), r"\1"),
    (re.compile(r"(?:,\s*){2,}"), ", "),
    (re.compile(r"([.!?:;])(?:\s*[,;:.])+"), r"\1"),
    (re.compile(r"[\s,]+$"), ""),
)


def spoken(text: str) -> str:
    """What is said for `text`, one clause or several. Empty when nothing in it can be said.

    Code is described or put into words; links, hashes and full paths are not read out; numbers survive.
    """
    parts: list[str] = []
    start = 0
    for fence in _FENCE.finditer(text):
        parts += [_prose(text[start : fence.start()]), _block(fence.group(1), fence.group(2))]
        start = fence.end()
    parts.append(_prose(text[start:]))
    return " ".join(part for part in parts if part)


def _block(language: str, body: str) -> str:
    lines = [line for line in body.splitlines() if line.strip()]
    name = _LANGUAGES.get(language.lower(), "code")
    if not lines:
        return ""
    if len(lines) == 1 and len(lines[0]) <= _READ_OUT_CHARS and (said := code(lines[0])):
        return f"{capital(said)}."
    return f"{capital(count(len(lines), 'line'))} of {name}{_defining(lines)}."


def _defining(lines: list[str]) -> str:
    """ " defining parse config": what stands outermost in a piece of code."""
    found = [one for one in map(defined_in, lines) if one is not None]
    outermost = min((indent for _, _, indent in found), default=0)
    names = list(dict.fromkeys(identifier(name) for name, _, indent in found if indent == outermost))
    more = len(names) - min(len(names), _NAMES_SAID)
    return f" defining {listed(names[:_NAMES_SAID], more)}" if names else ""


def _prose(text: str) -> str:
    text = speakable(text)
    # Inline code is kept away from the rules for prose: a placeholder stands for it until they are done.
    spans = [_span(match.group(2)) for match in _SPAN.finditer(text)]
    said = _SPAN.sub(_HELD, text)
    for pattern, replacement in _MARKDOWN:
        said = pattern.sub(replacement, said)
    said = _one_line(said)
    said = _TOKENS.sub(_token, said)
    for pattern, replacement in _SYMBOLS:
        said = pattern.sub(replacement, said)
    for span in spans:
        said = said.replace(_HELD, span, 1)
    for pattern, replacement in _TIDY:
        said = pattern.sub(replacement, said)
    if not any(character.isalnum() for character in said):
        return ""
    return f"{said}," if text.rstrip().endswith(",") else said  # the voice stays up at a comma


def speakable(text: str) -> str:
    """`text` without emoji, pictures, control characters and the like, which no voice can say."""
    text = unicodedata.normalize("NFC", text).replace("°", " degrees").replace("\ufe0f", "")
    return "".join(
        character if character in "\n\t`^" or unicodedata.category(character) not in _UNSPEAKABLE else " "
        for character in text
    )


def _one_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines()]
    said = ""
    for line in filter(None, lines):
        border = "" if not said else " " if said[-1] in ".!?:;," else ", "
        said += border + line
    return said


def _span(body: str) -> str:
    """Inline code: a link, a path or a few words of code."""
    body = body.strip()
    if re.match(r"\w+://", body):
        return "a link"
    if re.fullmatch(r"[0-9a-f]{7,64}", body) and re.search(r"[a-f]", body) and re.search(r"\d", body):
        return "a commit"
    if _PATH_SPAN.fullmatch(body):
        return file_name(body)
    return code(body)


def _token(match: re.Match[str]) -> str:
    token = match.group()
    kind = match.lastgroup
    if kind in {"url", "email", "uuid", "blob", "hash"}:
        if kind == "hash" and token[:6].lower() == "commit":
            return token[:6]
        return {"url": "a link", "email": "an email address", "hash": "a commit"}.get(kind, "an identifier")
    if kind == "place":
        path, _, line = token.partition(":")
        first, dash, last = line.replace("–", "-").partition("-")
        lines = f"lines {first} to {last}" if dash else f"line {first.partition(':')[0]}"
        return f"{file_name(path)}, {lines}"
    if kind in {"path", "dotfile"}:
        return file_name(token)
    if kind == "flag":
        name, _, setting = token.lstrip("-").partition("=")
        return f"{identifier(name)} {code(setting)}".strip()
    if kind == "switch":
        return f"option {' '.join(token[1:])}"
    if kind == "date":
        return expanded(token).replace("-", " ")
    if kind == "range":
        return " to ".join(re.findall(r"\d+", token))
    if kind == "negative":
        return "minus "
    if kind == "binary":
        return " equals " if token.strip() == "=" else f" {code(token)} "
    if kind == "dotted":
        return " dot ".join(identifier(part) for part in token.split("."))
    return identifier(token.rstrip("()"))
