"""Carries out the local commands that are more than a decision of the session: reading, pace, words, help."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from agent.events import ToolCallReady, ToolResult
from agent.facts import FileEdited, FileRead
from agent.loop import Agent
from agent.permissions import Mode
from voice.conversation import project_words
from voice.conversation.agent_turns import Approver
from voice.conversation.approvals import Approved
from voice.conversation.command_help import help_page
from voice.conversation.command_table import Name
from voice.conversation.commands import Spoken
from voice.conversation.corrections import WITHOUT_WORDS, Corrections
from voice.conversation.machine import SessionMachine, State
from voice.conversation.player import Player
from voice.conversation.project_words import ProjectWords
from voice.conversation.reading import Reader
from voice.conversation.signals import Input, Notice, Typed
from voice.conversation.spelling import NATO
from voice.conversation.turns import AgentEvent, Answered, Moment, Replied, Understood
from voice.speaking.doing import doing
from voice.speaking.exactly import Punctuation, exactly, spelled
from voice.speaking.names_aloud import file_name
from voice.speaking.verbosity import Level, Verbosity

_CODE = re.compile(r"```[^\n]*\n(.*?)```|`([^`\n]+)`", re.DOTALL)
_NAME = re.compile(r"[\w./-]*(?:[._/]|[a-z][A-Z])[\w./-]*\w|\b[A-Z]\w*[a-z]\w*[A-Z]\w*")
_LEVELS = {"on": Punctuation.MOST, "off": Punctuation.NONE, "no": Punctuation.NONE}
_STATES = {
    State.LISTENING: "I am listening.",
    State.JUDGING: "I am listening.",
    State.SPEAKING: "I am speaking.",
    State.ASKING: "I wait for your word.",
    State.ASLEEP: "I am asleep.",
}

_STATED = {
    Name.CANCEL: "Dropped.",
    Name.SCRATCH_THAT: "Dropped.",
    Name.TAKE_YOUR_TIME: "I wait longer when you pause.",
    Name.USUAL_TIME: "I wait as long as usual when you pause.",
    Name.DICTATION_ON: "I take down what you say. Say done at the end.",
}


class Floor(Protocol):
    """The session that errands are run for."""

    player: Player

    @property
    def machine(self) -> SessionMachine: ...

    def give(self, given: Input) -> None: ...

    async def listen_again(self) -> str | None: ...


@dataclass(frozen=True)
class Services:
    """What errands need of the rest. `change_voice` raises `UtterError` for a voice that is not there.

    `also_heard` as in `Corrections`.
    """

    agent: Agent
    approver: Approver
    reader: Reader
    words_file: Path
    transcript: Path
    what_changed: Callable[[], Awaitable[list[str]]]
    branch: Callable[[], Awaitable[str]]
    change_voice: Callable[[str | None], Awaitable[None]]
    also_heard: Callable[[str], Awaitable[Sequence[str]]]


class Errands:
    """One for a session; remembers what was last worked on, written and said."""

    def __init__(self, services: Services, words: ProjectWords, verbosity: Verbosity) -> None:
        self._services = services
        self.words = words
        self.verbosity = verbosity
        self._reader = services.reader
        self._floor: Floor
        self.corrections: Corrections
        self._code = ""  # the last code or command
        self._names: list[str] = []  # the last ones first
        self._changed = ""  # the file that was changed last
        self._times_spelled = 0
        self._page = 0
        self._doing = ""
        self._doing_since = time.monotonic()
        self._last: Name | None = None
        self._works = self._work()

    @property
    def names(self) -> tuple[Name, ...]:
        """The commands that are carried out here, in whole or in part."""
        return tuple(self._works)

    def connect(self, floor: Floor) -> None:
        """Run errands for this session."""
        self._floor = floor
        self.corrections = Corrections(floor.give, floor.listen_again, self._services.also_heard)

    def see(self, moment: Moment) -> None:
        """Something happened that a later command may be about."""
        if isinstance(moment, Replied):
            self._doing = ""
            self._note(moment.text)
        elif isinstance(moment, Understood):
            self._doing, self._doing_since = "thinking", time.monotonic()
            self._note(moment.written.text)
            self.corrections.understood(moment.written)
        elif isinstance(moment, Answered):
            self._code = moment.action
        elif isinstance(moment, AgentEvent) and isinstance(moment.event, ToolCallReady):
            event = moment.event
            self._doing = doing(event.name, event.arguments) or event.name.replace("_", " ")
            self._doing_since = time.monotonic()
            if command := event.arguments.get("command"):
                self._code = str(command)
        elif isinstance(moment, AgentEvent) and isinstance(moment.event, ToolResult):
            for fact in moment.event.summary_facts:
                if isinstance(fact, FileEdited):
                    self._changed = fact.path
                    self._reader.go_to(fact.path, fact.changes[0].line if fact.changes else 0)
                elif isinstance(fact, FileRead):
                    self._reader.go_to(fact.path)

    async def run(self, spoken: Spoken) -> None:
        """Do what the session itself does not."""
        work = self._works.get(spoken.name)
        for text in await work(spoken) if work is not None else ():
            self._floor.give(Notice(text))
        self._last = spoken.name

    def _work(self) -> dict[Name, Callable[[Spoken], Awaitable[list[str]]]]:
        return {
            Name.SLOWER: self._pace,
            Name.FASTER: self._pace,
            Name.NORMAL_SPEED: self._pace,
            Name.LOUDER: self._loudness,
            Name.SOFTER: self._loudness,
            Name.SHORTER: self._detail,
            Name.MORE_DETAIL: self._detail,
            Name.QUIET_MODE: self._detail,
            Name.FULL_NARRATION: self._detail,
            Name.CONTINUE: self._more,
            Name.SPELL_THAT: self._spell,
            Name.AGAIN: self._spell,
            Name.READ_EXACTLY: self._exactly,
            Name.PUNCTUATION: self._punctuation,
            Name.READ_LINES: self._lines,
            Name.NEXT_LINE: self._step,
            Name.PREVIOUS_LINE: self._step,
            Name.READ_FUNCTION: self._function,
            Name.WHERE_AM_I: self._where,
            Name.WHAT_CHANGED: self._what_changed,
            Name.STATUS: self._status,
            Name.HELP: self._tell_help,
            Name.UNDO: self._undo,
            Name.REDO: self._undo,
            Name.START_OVER: self._start_over,
            Name.READ_ONLY: self._freedom,
            Name.ASK_FIRST: self._freedom,
            Name.ALLOW_EDITS: self._freedom,
            Name.ADD_WORD: self._learn,
            Name.REPLACE_WORD: self._learn,
            Name.FORGET_WORD: self._learn,
            Name.CANCEL: self._state,
            Name.SCRATCH_THAT: self._state,
            Name.TAKE_YOUR_TIME: self._state,
            Name.USUAL_TIME: self._state,
            Name.DICTATION_ON: self._state,
            Name.TRY_AGAIN: self._try_again,
            Name.CORRECT_THAT: self._readings,
            Name.PICK: self._pick,
            Name.OPTION: self._pick,
            Name.SPELL_IT: self._respell,
            Name.I_SAID: self._wordless,
            Name.LITERAL: self._wordless,
            Name.SWITCH_VOICE: self._voice,
            Name.PLAIN_VOICE: self._voice,
            Name.SAVE_TRANSCRIPT: self._kept,
        }

    def _note(self, text: str) -> None:
        found = [block or span for block, span in _CODE.findall(text)]
        if found:
            self._code = found[-1].strip()
        names = _NAME.findall(text)
        self._names, self._times_spelled = names[::-1] or self._names, 0

    # ----------------------------------------------------------------------------------- pace and loudness

    async def _pace(self, spoken: Spoken) -> list[str]:
        steps = {Name.SLOWER: -spoken.times, Name.FASTER: spoken.times}.get(spoken.name, 0)
        speed = self._floor.player.faster(steps)
        return ["The usual speed."] if not steps else [f"{'Faster' if steps > 0 else 'Slower'}, {speed:.1f}."]

    async def _loudness(self, spoken: Spoken) -> list[str]:
        is_up = spoken.name is Name.LOUDER
        self._floor.player.louder(spoken.times if is_up else -spoken.times)
        return ["Louder." if is_up else "Softer."]

    async def _detail(self, spoken: Spoken) -> list[str]:
        if spoken.name in (Name.QUIET_MODE, Name.FULL_NARRATION):
            self.verbosity.level = Level.QUIET if spoken.name is Name.QUIET_MODE else Level.FULL
        else:
            self.verbosity.step(-1 if spoken.name is Name.SHORTER else 1)
        return [_TOLD[self.verbosity.level]]

    async def _more(self, spoken: Spoken) -> list[str]:
        if self._last is Name.HELP:
            return self._help(self._page + 1)
        return self.verbosity.more()

    # -------------------------------------------------------------------------------------------- reading

    async def _spell(self, spoken: Spoken) -> list[str]:
        if spoken.name is Name.AGAIN and self._last is not Name.SPELL_THAT:
            return []
        if not self._names:
            return ["There is no name to spell yet."]
        self._times_spelled += 1
        return [spelled(self._names[0], NATO if self._times_spelled > 1 else None) + "."]

    async def _exactly(self, spoken: Spoken) -> list[str]:
        return [exactly(line) + "." for line in self._code.splitlines()] or ["There was no code yet."]

    async def _punctuation(self, spoken: Spoken) -> list[str]:
        word = spoken.texts[0].lower() if spoken.texts else "on"
        level = _LEVELS[word] if word in _LEVELS else Punctuation[word.upper()]
        self._reader.punctuation = level
        return [f"Punctuation: {level.name.lower()}."]

    async def _lines(self, spoken: Spoken) -> list[str]:
        first = spoken.numbers[0] if spoken.numbers else self._reader.line + 1
        return self._reader.lines(first, spoken.numbers[-1] if spoken.numbers else first)

    async def _step(self, spoken: Spoken) -> list[str]:
        return self._reader.step(1 if spoken.name is Name.NEXT_LINE else -1)

    async def _function(self, spoken: Spoken) -> list[str]:
        return self._reader.function()

    async def _where(self, spoken: Spoken) -> list[str]:
        return self._reader.where(await self._services.branch())

    async def _state(self, spoken: Spoken) -> list[str]:
        return [_STATED[spoken.name]]

    async def _what_changed(self, spoken: Spoken) -> list[str]:
        return await self._services.what_changed()

    async def _status(self, spoken: Spoken) -> list[str]:
        if self._doing:
            since_s = time.monotonic() - self._doing_since
            return [f"I am at work on your request: {self._doing}, for {since_s:.0f} seconds."]
        return [_STATES.get(self._floor.machine.state, "I am at work.")]

    async def _tell_help(self, spoken: Spoken) -> list[str]:
        return self._help(0)

    def _help(self, page: int) -> list[str]:
        told = help_page(self._floor.machine.situation, page)
        self._page = page if told else 0
        return [*told, "Say more for the next ones."] if told else ["Those were all."]

    # ------------------------------------------------------------------------------------- asked about first

    async def _undo(self, spoken: Spoken) -> list[str]:
        is_back = spoken.name is Name.UNDO
        what = f", in {file_name(self._changed)}" if self._changed else ""
        asks = f"Shall I {'take back the last change' if is_back else 'make the change again'}{what}?"
        if await self._is_granted("undo" if is_back else "redo", asks):
            self._floor.give(Typed("undo that" if is_back else "redo that"))
        return []

    async def _start_over(self, spoken: Spoken) -> list[str]:
        if not await self._is_granted("start over", "Shall I forget this conversation and begin anew?"):
            return []
        await self._services.agent.start_over()
        return ["We begin anew."]

    async def _freedom(self, spoken: Spoken) -> list[str]:
        if spoken.name is Name.ALLOW_EDITS:
            if await self._is_granted("allow edits", "Shall I edit from now on without asking you?"):
                self._services.agent.mode = Mode.WORK
                return ["I edit without asking, and ask before what is risky."]
            return []
        is_read_only = spoken.name is Name.READ_ONLY
        self._services.agent.mode = Mode.READ_ONLY if is_read_only else Mode.ASK_FIRST
        return ["I change nothing from now on." if is_read_only else "I ask before every change."]

    async def _is_granted(self, action: str, asks: str) -> bool:
        verdict = await self._services.approver.put(0, action, asks, is_destructive=False)
        if not isinstance(verdict, Approved):
            self._floor.give(Notice("I left it as it is."))
        return isinstance(verdict, Approved)

    # ----------------------------------------------------------------------------------------------- words

    async def _learn(self, spoken: Spoken) -> list[str]:
        given = list(spoken.texts)
        if not given:  # its key was pressed, without words
            return ["Which word?"]
        if spoken.name is Name.FORGET_WORD:
            changed, told = self.words.without(given[0]), f"I forgot {given[0]}."
            if changed == self.words:
                return [f"I knew no word {given[0]}."]
        elif spoken.name is Name.REPLACE_WORD:
            heard, meant = given[0], given[-1]
            changed, told = self.words.with_meaning(heard, meant), f"I write {meant} for {heard}."
        else:
            changed = self.words.with_word(given[-1])
            if len(given) > 1:  # spelled: what is heard is written so
                changed = changed.with_meaning(given[0], given[-1])
            told = f"I know {given[0]} now."
        project_words.save(self._services.words_file, changed)
        self.words = changed
        return [told]

    # ------------------------------------------------------------------------------------------ and the rest

    async def _try_again(self, spoken: Spoken) -> list[str]:
        return await self.corrections.try_again()

    async def _readings(self, spoken: Spoken) -> list[str]:
        return await self.corrections.readings()

    async def _pick(self, spoken: Spoken) -> list[str]:
        return self.corrections.pick(spoken)

    async def _respell(self, spoken: Spoken) -> list[str]:
        return self.corrections.spell(spoken)

    async def _wordless(self, spoken: Spoken) -> list[str]:
        return [] if spoken.texts else [WITHOUT_WORDS[spoken.name]]

    async def _voice(self, spoken: Spoken) -> list[str]:
        name = spoken.texts[0].lower() if spoken.texts else None
        await self._services.change_voice(name)
        return ["This is my voice now."]

    async def _kept(self, spoken: Spoken) -> list[str]:
        return [f"The transcript is kept as it is written, in the folder {self._services.transcript.name}."]


_TOLD = {
    Level.QUIET: "I say only what came of it.",
    Level.BRIEF: "I answer in short. Say more for the rest.",
    Level.NORMAL: "I answer as usual.",
    Level.FULL: "I say every step.",
}
