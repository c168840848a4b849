"""The commands told to the user: a few at a time aloud, all of them as a page of the documentation."""

from __future__ import annotations

from voice.conversation.command_table import COMMANDS, Command, Name, Tier
from voice.conversation.commands import Situation, valid_now
from voice.conversation.patterns import expand

_AT_ONCE = 6  # more than that nobody keeps in mind

# What helps most is told first.
_FIRST = (
    Name.YES, Name.NO, Name.EXPLAIN, Name.OPTION, Name.DICTATION_OFF, Name.STOP, Name.ABORT, Name.REPEAT,
    Name.WHAT_CHANGED, Name.UNDO, Name.STATUS, Name.SLEEP, Name.WAKE,
)  # fmt: skip


def help_page(situation: Situation, page: int = 0) -> tuple[str, ...]:
    """At most six sentences on what can be said now; empty behind the last page."""
    valid = [command for command in valid_now(situation) if command.group]
    ranked = sorted(valid, key=lambda one: _FIRST.index(one.name) if one.name in _FIRST else len(_FIRST))
    return tuple(
        f"{spoken_form(one)}: {one.does}." for one in ranked[page * _AT_ONCE : (page + 1) * _AT_ONCE]
    )


def spoken_form(command: Command) -> str:
    """The first way of saying a command, with an example in place of what varies: "line 7"."""
    words = [_EXAMPLES.get(token, token.removeprefix("=")) for token in expand(command.says[0])[0]]
    return " ".join(filter(None, words))


_EXAMPLES = {
    "<number>": "7",
    "<letters>": "a b c",
    "<words>": "these words",
    "<name>": "Amy",
    "<term>": "Kubernetes",
    "<aside>": "",
}


def as_markdown() -> str:
    """The page docs/commands.md: a list, which screen readers read better than a wide table."""
    return "\n".join((_INTRODUCTION, *(_line(command) for command in COMMANDS))) + "\n"


def _line(command: Command) -> str:
    says = ", ".join("`" + said.replace("|", "/") + "`" for said in command.says)
    does = command.does[0].upper() + command.does[1:]
    return f"- {does}{_NOTES.get(command.tier, '')}. Say {says}. Key: `{command.key}`."


_NOTES = {Tier.CONFIRM: ", after asking"}
_INTRODUCTION = """# What you can say

These commands are carried out at once, without the language model, and while it is busy too. They count only
when they are all that you say: "stop" falls silent, "stop the server" is a request. "Okay", "please" and the
like do no harm. While a question waits, what you say is an answer to it, but for those on pace, loudness,
patience, status, place, repetition and help. An answer that is neither a yes nor a no is said back, and the
question put once more; a second such answer means no, and so do a yes that was not heard surely, 45 s of
silence, and any word of denial. With a wake phrase commands and answers count only behind it, or within ten
seconds of the last exchange; what makes things quieter or safer counts always.

`[a/b]` may be left out, `(a/b)` is one of them, `{a/b}` too. Every command has a key that does the same.
"""
