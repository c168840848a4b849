"""Numbers, dates, versions and units written out for a voice that would read them wrongly. Pure."""

from __future__ import annotations

import re
from itertools import pairwise

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)
_UNITS = {
    "ns": "nanosecond", "us": "microsecond", "µs": "microsecond", "ms": "millisecond",
    "kB": "kilobyte", "KB": "kilobyte", "MB": "megabyte", "GB": "gigabyte", "TB": "terabyte",
    "KiB": "kibibyte", "MiB": "mebibyte", "GiB": "gibibyte", "TiB": "tebibyte",
    "Hz": "hertz", "kHz": "kilohertz", "MHz": "megahertz", "GHz": "gigahertz", "fps": "frame per second",
}  # fmt: skip
_DATE = re.compile(r"\b(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])\b")
_TIME = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?\b")
_VERSION = re.compile(r"\b([vV]?)(\d+(?:\.\d+){2,})\b|\b([vV])(\d+(?:\.\d+)?)\b")
_POWER = re.compile(r"\b(\d+(?:\.\d+)?)[eE]([+-]?)(\d+)\b")
_HEX = re.compile(r"\b0[xX]([0-9a-fA-F]+)\b")
_LINE = re.compile(r"\b([Ll]ines?) (\d{3,6})\b(?: (to|and) (\d{3,6})\b)?")
_UNIT = re.compile(rf"(?<![\w.])(\d[\d.,]*)\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![\w/])")


def expanded(text: str) -> str:
    """`text` for the synthesiser alone; what is shown stays as it was.

    >>> expanded("v1.2.3 of 2026-11-22 took 10ms")
    'version 1 point 2 point 3 of 22 November 2026 took 10 milliseconds'
    """
    text = _DATE.sub(lambda found: f"{int(found[3])} {_MONTHS[int(found[2]) - 1]} {found[1]}", text)
    text = _TIME.sub(_time, text)
    text = _POWER.sub(_power, text)
    text = _HEX.sub(lambda found: f"hex {' '.join(found[1].upper())}", text)
    text = _VERSION.sub(_version, text)
    text = _LINE.sub(_line, text)
    return _UNIT.sub(_unit, text)


def _time(found: re.Match[str]) -> str:
    hour, minute = int(found[1]), int(found[2])
    if not minute:
        return f"{hour} o'clock"
    return f"{hour} {minute}" if minute > 9 else f"{hour} oh {minute}"


def _power(found: re.Match[str]) -> str:
    sign = "minus " if found[2] == "-" else ""
    return f"{found[1]} times 10 to the {sign}{found[3]}"


def _version(found: re.Match[str]) -> str:
    is_marked, digits = bool(found[1] or found[3]), found[2] or found[4]
    return f"{'version ' if is_marked else ''}{digits.replace('.', ' point ')}"


def _line(found: re.Match[str]) -> str:
    first, last = _place(found[2]), _place(found[4] or "")
    return f"{found[1]} {first} {found[3]} {last}" if last else f"{found[1]} {first}"


def _place(digits: str) -> str:
    """Digit by digit, for "one hundred thirteen" is heard as 130.

    A digit after its like is heard once more than it was said: 119 as 1119. Such places of three or four
    digits are said in pairs, "one nineteen"; Whisper then hears 16 of 18 right, where it was 10.
    """
    head, tail = digits[:-2], digits[-2:]
    if len(digits) > 4 or digits[0:1] == "0" or not any(one == other for one, other in pairwise(digits)):
        return " ".join(digits)
    if digits.endswith("000"):
        return f"{digits[0]} thousand"
    if tail == "00":
        return f"{head} hundred"
    return f"{head} oh {tail[1]}" if tail[0] == "0" else f"{head} {tail}"


def _unit(found: re.Match[str]) -> str:
    value, name = found[1].rstrip(".,"), _UNITS[found[2]]
    tail = found[1][len(value) :]
    if name.endswith("hertz"):
        return f"{value} {name}{tail}"
    head, _, rest = name.partition(" ")
    many = head if value == "1" else f"{head}s"
    return f"{value} {many}{f' {rest}' if rest else ''}{tail}"
