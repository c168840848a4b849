"""Commands that are never run, whatever anybody says: they would destroy the machine or hand it over."""

from __future__ import annotations

import re

from agent.permissions.decision import Ground
from agent.permissions.shell_syntax import Call, Script, Word

_DOWNLOADERS = frozenset({"curl", "wget", "fetch", "aria2c", "http", "https"})
_INTERPRETERS = frozenset(
    {
        *("sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "eval", "source", "."),
        *("python", "python3", "perl", "ruby", "node", "php"),
    }
)
_DISK_TOOLS = re.compile(r"mkfs(\..+)?|mke2fs|mkswap|fdisk|sfdisk|gdisk|parted|wipefs|blkdiscard|cryptsetup")
_POWER = frozenset({"shutdown", "reboot", "halt", "poweroff"})
_DEVICE = re.compile(r"/dev/(?!null$|stdout$|stderr$|stdin$|tty$|fd/|zero$|u?random$)")
# For what the grammar could not read.
_RAW = re.compile(
    r"\brm\s+(-\w+\s+)*-\w*[rR]\w*\s+(-\S+\s+)*(/|~|\$HOME|\"\$HOME\")(\s|/?\*|/?$|;|&|\|)"
    r"|:\s*\(\s*\)\s*\{|\bmkfs\b|\bdd\b[^|;&]*\bof=/dev/(?!null)"
    r"|\b(curl|wget)\b[^;&\n]*\|\s*(sudo\s+)?(ba|z|da|k)?sh\b"
)


def forbidden(command: str, scripts: list[Script], calls: list[Call], ground: Ground) -> str:
    """Why a command is never run, or nothing. `calls` are all that it comes to, wrappers taken off."""
    if any(script.is_fork_bomb for script in scripts):
        return "it would only multiply until the machine stops"
    for script in scripts:
        if any(_DEVICE.match(word.text) for word in script.writes):
            return "it writes to a device"
    for call in calls:
        if reason := _forbidden(call, ground):
            return reason
    if any(script.unclear for script in scripts) and _RAW.search(command):
        return "it may destroy more than this project"
    return ""


def _forbidden(call: Call, ground: Ground) -> str:
    name, words = call.name, call.words[1:]
    options = {word.text for word in words if word.text.startswith("-")}
    letters = {letter for option in options if not option.startswith("--") for letter in option[1:]}
    if name in _INTERPRETERS:
        feeders = (*call.substituted, *(call.fed_by if _reads_its_program(words) else ()))
        if any(feeder.name in _DOWNLOADERS for feeder in feeders):
            return "it would run whatever the network sends"
    if name in ("rm", "chmod", "chown", "chgrp", "shred"):
        is_deep = bool(letters & {"r", "R"}) or "--recursive" in options
        if "--no-preserve-root" in options or (is_deep and any(_is_above(word, ground) for word in words)):
            return "it reaches far beyond this project"
    if name == "find" and any(word.text == "-delete" for word in words):
        places = [word for word in words[:1] if not word.text.startswith("-")]
        if any(_is_above(word, ground) for word in places):
            return "it reaches far beyond this project"
    if _DISK_TOOLS.fullmatch(name) or name in _POWER or (name == "init" and words[:1] == (Word("0"),)):
        return "it acts on the machine itself"
    if name == "systemctl" and any(word.text in _POWER for word in words):
        return "it acts on the machine itself"
    if name == "dd" and any(
        _DEVICE.match(word.text.removeprefix("of=")) for word in words if "of=" in word.text
    ):
        return "it writes to a device"
    if name in ("tee", "cp", "mv", "shred") and any(_DEVICE.match(word.text) for word in words):
        return "it writes to a device"
    if name == "kill" and any(word.text == "-1" for word in words[1:]):
        return "it would end every program"
    return ""


def _reads_its_program(words: tuple[Word, ...]) -> bool:
    """Whether an interpreter takes what it runs from its input: it is given no script, module or code."""
    texts = [word.text for word in words]
    has_names = any(not text.startswith("-") for text in texts)
    return "-s" in texts or not (has_names or {"-c", "-e", "-m"} & set(texts))


def _is_above(word: Word, ground: Ground) -> bool:
    """Whether a path is the workspace itself or holds it, or is a home or one of the system's own folders."""
    if word.text.startswith("-") or not word.text:
        return False
    text = re.sub(r"/\*$", "", word.text) if word.pattern or not word.is_literal else word.text
    if word.pattern and text == word.text:
        return False
    place = ground.real(text or "/", ground.root)
    if place == ground.root and word.pattern:
        return False  # `./*` of the project: asked about
    inside_root = place.startswith(f"{ground.root.rstrip('/')}/")
    holds_root = place == "/" or ground.root == place or ground.root.startswith(f"{place}/")
    return not inside_root and (holds_root or place == ground.home or place.count("/") == 1)
