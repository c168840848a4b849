"""Sees through programs that only run another: `env`, `sudo`, `timeout`, `xargs`, `sh -c`, `find -exec`."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from agent.permissions.allowed import is_own
from agent.permissions.shell_syntax import Call, Script, Word, parse

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "ash", "fish"})
_SHELLS_KNOWN = frozenset({"sh", "bash", "dash"})
_MAX_DEPTH = 8
# Options of wrappers that take a value of their own.
_VALUES = {
    "env": frozenset({"-u", "--unset"}),
    "timeout": frozenset({"-k", "-s", "--kill-after", "--signal"}),
    "nice": frozenset({"-n", "--adjustment"}),
    "ionice": frozenset({"-c", "-n", "--class", "--classdata"}),
    "stdbuf": frozenset({"-i", "-o", "-e"}),
    "sudo": frozenset({"-u", "-g", "-h", "-p", "-C", "-D", "-R", "-T", "-U", "-r", "-t"}),
    "doas": frozenset({"-u", "-C"}),
    "xargs": frozenset({"-n", "-P", "-I", "-L", "-d", "-E", "-s", "-a"}),
    "nohup": frozenset[str](),
    "time": frozenset[str](),
    "command": frozenset[str](),
    "builtin": frozenset[str](),
    "exec": frozenset({"-a"}),
    "setsid": frozenset[str](),
    "busybox": frozenset[str](),
    "toybox": frozenset[str](),
    "caffeinate": frozenset({"-t", "-w"}),
    "watch": frozenset({"-n", "-d"}),
}
_ASKED_FOR = {
    "sudo": "it runs as administrator",
    "doas": "it runs as administrator",
    "exec": "it takes the place of the shell",
    "setsid": "it leaves its group",
    "busybox": "it runs another program",
    "toybox": "it runs another program",
    "watch": "it runs for ever",
    "xargs": "it runs on names that I do not know yet",
}
# Other options of these run or write something.
_OPTIONS = {
    "env": re.compile(r"-|-i|-0|-u.*|--unset(=.*)?|--ignore-environment"),
    "time": re.compile("-p"),
}
_FIND_RUNS = frozenset({"-exec", "-execdir", "-ok", "-okdir"})


@dataclass(frozen=True)
class Seen:
    """A command with its wrappers off; `why` is a reason to ask that the wrapping itself gives."""

    call: Call
    why: str = ""


def see_through(script: Script, home: str) -> tuple[list[Seen], list[Script]]:
    """Every command that `script` comes to run, and the scripts that were found inside its words."""
    seen: list[Seen] = []
    scripts = [script]
    waiting = [(Seen(call), 0) for call in reversed(script.calls)]
    while waiting:
        item, depth = waiting.pop()
        inner, text = _unwrapped(item.call)
        why = item.why or (_why_of_wrapper(item.call) if inner or text is not None else "")
        if depth >= _MAX_DEPTH:
            seen.append(replace(item, why="it is wrapped too often"))
        elif text is not None:
            found = parse(text, home)
            scripts.append(found)
            why = why or found.unclear
            around = item.call
            nested = [
                replace(
                    call,
                    fed_by=(*call.fed_by, *around.fed_by),
                    variables=(*around.variables, *call.variables),
                )
                for call in found.calls
            ]
            waiting += [(Seen(call, why), depth + 1) for call in reversed(nested)]
            if not nested:
                seen.append(Seen(item.call, why or "I cannot tell what it comes to"))
        elif inner:
            waiting += [(Seen(one.call, why or one.why), depth + 1) for one in reversed(inner)]
        else:
            seen.append(item)
    return seen, scripts


def _why_of_wrapper(call: Call) -> str:
    if is_own(call.words[0]):
        return "it runs a program of the project's own"
    return "it uses another shell" if call.name in _SHELLS - _SHELLS_KNOWN else ""


def _unwrapped(call: Call) -> tuple[list[Seen], str | None]:
    """The commands that `call` hands on to, or the text that it hands to a shell."""
    name = call.name
    if not call.words or not call.words[0].is_literal:
        return [], None
    if name in _SHELLS:
        return [], _text_of_shell(call.words)
    if name == "eval":
        words = call.words[1:]
        return [], " ".join(w.text for w in words) if words and all(w.is_literal for w in words) else None
    if name == "find":
        return _found(call), None
    if name not in _VALUES:
        return [], None
    rest, variables = _rest(call, _VALUES[name])
    if rest is None:
        return [], None
    if name == "timeout":
        if not rest or not re.fullmatch(r"[\d.]+[smhd]?", rest[0].text):
            return [], None
        rest = rest[1:]
    if not rest:
        return [], None
    why = _ASKED_FOR.get(name, "")
    if name == "xargs":
        rest = (*rest, Word("", False))
    return [Seen(replace(call, words=rest, variables=(*call.variables, *variables)), why)], None


def _rest(call: Call, valued: frozenset[str]) -> tuple[tuple[Word, ...] | None, tuple[str, ...]]:
    """The words after a wrapper's options, and the variables that are set between; None when not certain."""
    words, variables = list(call.words[1:]), list[str]()
    while words:
        word = words[0]
        if not word.is_literal:
            return None, ()
        is_variable = re.fullmatch(r"\w+=.*", word.text, re.DOTALL)
        if call.name in ("env", "sudo", "doas") and is_variable:
            variables.append(word.text.partition("=")[0])
        elif word.text == "--":
            return tuple(words[1:]), tuple(variables)
        elif not word.text.startswith("-"):
            break
        elif call.name in _OPTIONS and not _OPTIONS[call.name].fullmatch(word.text):
            return None, ()
        elif word.text in valued:
            words.pop(0)
        if words:
            words.pop(0)
    return tuple(words), tuple(variables)


def _text_of_shell(words: tuple[Word, ...]) -> str | None:
    for number, word in enumerate(words[1:], 1):
        if not word.is_literal or not word.text.startswith(("-", "+")):
            return None
        if re.fullmatch(r"-[a-z]*c", word.text) and not word.text.startswith("--"):
            following = words[number + 1 : number + 2]
            return following[0].text if following and following[0].is_literal else None
    return None


def _found(call: Call) -> list[Seen]:
    """`find` itself, and what it runs on each file; nothing when it runs nothing."""
    words, inner, kept = list(call.words), list[Seen](), list[Word]()
    while words:
        word = words.pop(0)
        if word.text not in _FIND_RUNS:
            kept.append(word)
            continue
        command: list[Word] = []
        while words and words[0].text not in (";", "+"):
            command.append(words.pop(0))
        if words:
            words.pop(0)
        inner.append(Seen(replace(call, words=tuple(command)), "it runs on names that I do not know yet"))
    return [Seen(replace(call, words=tuple(kept))), *inner] if inner else []
