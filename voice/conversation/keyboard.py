"""The keyboard equals the voice: a key of the command table, or words, as if they were said.

In a terminal each key acts at once, and one that takes words opens a line that begins with them: the key of
"read line" lets the number be typed. Elsewhere, and for screen readers, each line is a key or words.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncGenerator, Callable, Generator

from voice.conversation.command_table import COMMANDS, Command
from voice.conversation.commands import Situation, by_key, commands_in
from voice.conversation.patterns import expand
from voice.conversation.signals import Input, Notice, Pressed, TalkKey, Typed

_ESCAPES = {"\x1b[A": "up", "\x1b[B": "down", "\x1bOA": "up", "\x1bOB": "down"}
_KEYS = {"\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\x04": "ctrl-d"}
_WRITE = frozenset("/ ")  # these open an empty line
# What comes at once and begins so was pasted, or dictated to another program: nobody presses keys so fast.
_WORDS = re.compile(r"\s*(?!(.)\1+$)[^\W\d_]{3,}")


def typed(line: str, situation: Situation, *, is_push_to_talk: bool = False) -> Input | None:
    """What a whole line means: a key, the words of a command, a request; none is the key of push-to-talk."""
    line = line.strip()
    if not line:
        return TalkKey() if is_push_to_talk else None
    if by_key(line, situation) is not None:
        return Pressed(line)
    spoken = commands_in(line, situation)
    if spoken:
        return Pressed(spoken[0].command.key, spoken[0].numbers, spoken[0].texts)
    return _not_now(line, situation) or Typed(line)


def _not_now(key: str, situation: Situation) -> Input | None:
    """What to say of a key that does nothing now; it must not become a request by mistake."""
    command = next((command for command in COMMANDS if command.key == key), None)
    if command is None or situation.asleep:
        return None
    return Notice(f"The key {key} {command.does}. There is no need for it now.")


class Keys:
    """Takes the characters of a terminal one by one; `echo` shows what a line holds so far.

    With push-to-talk, the space bar is its key.
    """

    def __init__(self, echo: Callable[[str], None], *, is_push_to_talk: bool = False) -> None:
        self._echo = echo
        self._is_push_to_talk = is_push_to_talk
        self._line: str | None = None  # None while keys act at once

    def take(self, text: str, situation: Situation) -> list[Input]:
        """What came in one read: characters, or one escape sequence.

        Whole words are words, and none of their letters is a key.
        """
        if self._line is None and _WORDS.match(text):
            text = f"/{text.lstrip()}"
        if text in _ESCAPES:
            text, keys = "", [_ESCAPES[text]]
        else:
            keys = [] if text.startswith("\x1b") else list(text)
        found = [self._key(_KEYS.get(key, key), situation) for key in keys]
        if text == "\x1b" and self._line is not None:
            self._line = None
            self._echo("\n")
        return [given for given in found if given is not None]

    def _key(self, key: str, situation: Situation) -> Input | None:
        if self._line is not None:
            return self._edit(self._line, key, situation)
        if key == " " and self._is_push_to_talk:
            return TalkKey()
        if key in _WRITE:
            self._open("")
            return None
        command = by_key(key, situation)
        if command is not None and (begins := opening(command)):
            self._open(begins)
            return None
        return _not_now(key, situation) if command is None else Pressed(key)

    def _open(self, begins: str) -> None:
        self._line = begins
        self._echo(f"> {begins}")

    def _edit(self, line: str, key: str, situation: Situation) -> Input | None:
        if key == "enter":
            self._line = None
            self._echo("\n")
            return typed(line, situation)
        if key == "backspace":
            self._line = line[:-1]
            self._echo("\b \b" if line else "")
        elif len(key) == 1 and key.isprintable():
            self._line = line + key
            self._echo(key)
        return None


def opening(command: Command) -> str:
    """The words before what has to be typed; empty for a command that needs none."""
    words = expand(command.says[0])[-1]
    before: list[str] = []
    for word in words:
        if word.startswith("<") and word != "<aside>":
            return " ".join(before) + " " if before else " "
        before.append(word.removeprefix("="))
    return ""


async def keys_of(stream_fd: int) -> AsyncGenerator[str]:
    """What is typed, as it comes; ends with the input."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str] = asyncio.Queue()

    def ready() -> None:
        try:
            data = os.read(stream_fd, 4096)
        except OSError:
            data = b""
        if not data:
            loop.remove_reader(stream_fd)
        queue.put_nowait(data.decode("utf-8", "replace"))

    try:
        loop.add_reader(stream_fd, ready)
    except (OSError, ValueError, NotImplementedError):  # a plain file, or Windows
        return
    try:
        while text := await queue.get():
            yield text
    finally:
        loop.remove_reader(stream_fd)


@contextlib.contextmanager
def single_keys(stream_fd: int) -> Generator[None]:
    """The terminal hands out each key at once and shows none, until the end of the context."""
    if sys.platform == "win32":
        yield
        return
    import termios

    before = termios.tcgetattr(stream_fd)
    mode = termios.tcgetattr(stream_fd)
    mode[3] &= ~(termios.ICANON | termios.ECHO)
    mode[6][termios.VEOF] = b"\x00"  # Ctrl-D is a key like others
    mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
    termios.tcsetattr(stream_fd, termios.TCSADRAIN, mode)
    try:
        yield
    finally:
        termios.tcsetattr(stream_fd, termios.TCSADRAIN, before)
