"""Sets a constant without the model, where the words name it and give its new value. Pure over the index."""

from __future__ import annotations

import re

from agent.code.index import CodeIndex, Located
from agent.code.languages import Language, is_test_code, language_of
from agent.intents import DirectCall, is_only_asked, plain, squashed

_SET = re.compile(
    r"(?:set|change|make|update|put|raise|lower|increase|decrease|reduce|bump|adjust) (?:the )?"
    r"(?:value of (?:the )?)?(?:constant |variable |setting )?(?P<name>\w[\w.]*(?: \w+){0,4}?)"
    r"(?: constant| variable| setting| value)?(?: from [^,]+?)? (?:to(?: be)?|equal to|=) (?P<value>.+)",
    re.IGNORECASE,
)
_NORM = re.compile(
    r"(?:the )?(?:value of (?:the )?)?(?:constant |variable |setting )?(?P<name>\w[\w.]*(?: \w+){0,4}?)"
    r"(?: constant| variable| setting| value)? (?:should|must|ought to|has to|needs to|shall) be (?:set to )?"
    r"(?P<value>.+)",
    re.IGNORECASE,
)
# "A dozen, I mean ten": what was said last counts.
_CORRECTED = re.compile(
    r",? (?:i mean|no wait|wait no|no|sorry|rather|or rather|make that|actually)\b,? (?P<value>.+)",
    re.IGNORECASE,
)
_VALUE = re.compile(
    r"(?P<number>-?\d[\d_]*(?:\.\d+)?)|(?P<truth>true|false|True|False)|(?P<text>\"[^\"\\]*\"|'[^'\\]*')"
)
_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"),
    *("twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_UNITS = {word: number for number, word in enumerate(_ONES)}
_DECADES = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TENS = {word: 10 * number for number, word in enumerate(_DECADES, 2)}
_TRUTHS = {
    **dict.fromkeys(("true", "on", "yes", "enabled"), True),
    **dict.fromkeys(("false", "off", "no", "disabled"), False),
}


def setting(request: str, index: CodeIndex) -> DirectCall | None:
    """The edit that sets the one constant that `request` names; None where anything is left to be judged."""
    text = plain(request)
    match = _SET.fullmatch(text) or _NORM.fullmatch(text)
    if match is None or is_only_asked(request):
        return None
    sound = squashed(match["name"])
    named = [
        item
        for item in index.constants()
        if sound in (squashed(item.symbol.bare_name), squashed(item.symbol.name))
        and not is_test_code(item.path)
    ]
    if len(named) != 1 or named[0].symbol.def_line != named[0].symbol.last_line:
        return None
    corrected = _CORRECTED.search(match["value"])
    return _edit(named[0], corrected["value"] if corrected else match["value"], index)


def _edit(item: Located, words: str, index: CodeIndex) -> DirectCall | None:
    line = index.source_of(item).split("\n")[-1]
    sign = re.search(rf"\b{re.escape(item.symbol.bare_name)}\b[^=]*?=\s*", line)
    value = _VALUE.match(line, sign.end()) if sign else None
    # Anything but one plain value up to the end, or to a comment, is for the model.
    if value is None or not re.fullmatch(r"\s*[;,]?\s*(?:(?:#|//).*)?", line[value.end() :]):
        return None
    new = _literal(words.strip(), value, language_of(item.path))
    if new is None:
        return None
    after = line[: value.start()] + new + line[value.end() :]
    lines = index.sources[item.path].lines
    if lines.count(line) != 1:
        return None
    return DirectCall("edit_file", {"path": item.path, "old": line, "new": after})


def _literal(words: str, now: re.Match[str], language: Language | None) -> str | None:
    """The words as a value of the same kind as the one that is there."""
    if now["number"]:
        return number(words)
    if now["truth"]:
        truth = _TRUTHS.get(words.lower())
        if truth is None:
            return None
        return str(truth) if language is Language.PYTHON else str(truth).lower()
    quote = now["text"][0]
    bare = words.strip("\"'`")
    # Of several words nobody knows which are the value, and how they are written.
    is_one_word = re.fullmatch(r"[^\s\"'\\`]+", bare)
    return f"{quote}{bare}{quote}" if is_one_word or bare != words else None


def number(words: str) -> str | None:
    """Digits for a number that is written or spoken: "two hundred and fifty", "four point five", "-3"."""
    text = words.strip().lower().replace(",", "")
    text = {"a dozen": "12", "half a dozen": "6"}.get(text, text)
    text = f"zero {text}" if text.startswith("point ") else text
    if re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        return text
    sign = "-" if text.startswith(("minus ", "negative ")) else ""
    whole, _, part = text.removeprefix("minus ").removeprefix("negative ").partition(" point ")
    value = _whole(whole)
    if value is None:
        return None
    digits = [_UNITS.get(word, 10) for word in part.split()]
    if any(digit > 9 for digit in digits):
        return None
    return f"{sign}{value}" + (f".{''.join(map(str, digits))}" if digits else "")


def _whole(text: str) -> int | None:
    total = part = 0
    words = [word for word in re.split(r"[\s-]+", text) if word]
    for i, word in enumerate(words):
        if word in _UNITS:
            part += _UNITS[word]
        elif word in _TENS:
            part += _TENS[word]
        elif word in ("a", "an") and words[i + 1 : i + 2] in (["hundred"], ["thousand"], ["million"]):
            part += 1
        elif word == "hundred":
            part = (part or 1) * 100
        elif word in ("thousand", "million"):
            total, part = total + (part or 1) * (1000 if word == "thousand" else 1_000_000), 0
        elif word != "and" or i in (0, len(words) - 1):
            return None
    return total + part if words else None
