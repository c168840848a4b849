"""Decides: deny before ask before allow. Pure but for what `Ground` looks up on the disk."""

from __future__ import annotations

import re
import unicodedata

from agent.permissions import wrappers
from agent.permissions.allowed import Place, why_ask
from agent.permissions.consequences import is_destructive, needs_credentials, needs_network
from agent.permissions.decision import Action, Allow, Ask, Decision, Deny, Ground, Kind, Mode
from agent.permissions.forbidden import forbidden
from agent.permissions.secret_names import is_git_internal, is_secret
from agent.permissions.shell_syntax import Script, parse

_COMMIT = re.compile(
    r"(?:^|[,.;:!?]|\b(?:and|then|please|to|now|you|just|also|lets?|let's|let us|(?:make|do|create) an?))\s*"
    r"(?:commit|check (?:it|this|that|them|everything) in)\b(?! *(?:message|hash|history)s?\b)",
    re.IGNORECASE,
)
_NO_COMMIT = re.compile(
    r"\b(?:not|never|without|cannot|\w+n['\u2019]?t)\W+(?:\w+\W+){0,2}(?:commit|check)", re.IGNORECASE
)
_MAX_COMMAND_CHARS = 4_000
_CHANGING = (Kind.WRITE, Kind.COMMIT, Kind.UNDO)
_ONLY_LOOKING = "I am only to look, so I changed nothing. Set agent.mode to work if I may."


def decide(action: Action, request: str, mode: Mode = Mode.WORK, ground: Ground | None = None) -> Decision:
    """Whether `action` may be carried out in a turn that the user began with the words `request`.

    Only the user's words count: text read from files, tests or tool results is never handed in here.
    `ground` is needed for commands.
    """
    if action.kind is Kind.RUN:
        try:
            return Deny("I run no commands.") if ground is None else _command(action.command, mode, ground)
        except RecursionError:
            return Deny("That command is nested too deeply to be understood.")
    if action.kind is Kind.WRITE and is_git_internal(action.path):
        return Deny("The files of git itself are not mine to write.")
    if mode is Mode.READ_ONLY and action.kind in _CHANGING:
        return Deny(_ONLY_LOOKING)
    if action.path and is_secret(action.path):
        # Secrets are in no snapshot.
        return Ask(f"{action.path} may hold secrets.", is_destructive=action.kind is Kind.WRITE)
    if mode is Mode.READ_ONLY and action.kind is Kind.RUN_TESTS:
        return Ask("Tests may change files.")
    if mode is Mode.ASK_FIRST and action.kind in (Kind.WRITE, Kind.COMMIT):
        return Ask("You want to be asked before every change.")
    if action.kind is Kind.COMMIT and (not _COMMIT.search(request) or _NO_COMMIT.search(request)):
        return Ask("You have not asked for a commit.")
    return Allow()


def _command(command: str, mode: Mode, ground: Ground) -> Decision:
    if not command.strip():
        return Deny("There is no command to run.")
    if len(command) > _MAX_COMMAND_CHARS:
        return Deny("That command is too long to be read out and agreed to.")
    if any(_is_invisible(character) for character in command):
        return Deny("There are invisible characters in that command, so it may not be what it looks like.")
    script = parse(command, ground.home)
    seen, scripts = wrappers.see_through(script, ground.home)
    calls = [item.call for item in seen]
    every = [*calls, *(call for one in scripts for call in one.calls)]
    if reason := forbidden(command, scripts, every, ground):
        return Deny(f"I never run {command}: {reason}.")
    why = _why_ask(scripts, seen, mode, ground)
    if not why:
        return Allow()
    if mode is Mode.READ_ONLY:
        return Deny(_ONLY_LOOKING)
    network = any(needs_network(call) for call in every)
    credentials = any(needs_credentials(call) for call in every)
    reaching = " and reaches the network" if network else ""
    question = f"{why[0].upper()}{why[1:]}{reaching}."
    return Ask(question, network, credentials, any(is_destructive(call) for call in every))


def _why_ask(scripts: list[Script], seen: list[wrappers.Seen], mode: Mode, ground: Ground) -> str:
    place = Place(ground, (ground.root,))
    for item in seen:
        if item.why:
            return item.why
        if item.call.name == "cd" and not item.call.variables:
            moved = place.after(item.call)
            if moved is None:
                return "it leaves the project"
            place = moved
            continue
        if why := why_ask(item.call, place, only_looking=mode is not Mode.WORK):
            return why
    for script in scripts:
        if script.unclear:
            return script.unclear
        if script.writes:
            return f"it writes to {script.writes[0].text or 'a file'}"
        for word in script.reads:
            if trouble := place.trouble(word):
                return trouble
    return ""


def _is_invisible(character: str) -> bool:
    return character not in "\t\n" and unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Co", "Cs")
