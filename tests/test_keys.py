"""The keyboard equals the voice: every command has a key, and the key works in every state."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from simulated_session import Ask, Burst, Speak, Tool, World

from voice.conversation.approvals import Question
from voice.conversation.command_table import COMMANDS, Command, Name, Needs, Tier
from voice.conversation.keyboard import Keys, opening
from voice.conversation.machine import State
from voice.conversation.signals import Kind, Offered, Perform, Pressed, Resolve, Say

COMMIT = Question("q1", "git commit", "Shall I commit this?", is_destructive=False)
LONG = "One two three four five six seven eight nine ten"
ANSWERS = (Name.YES, Name.NO, Name.APPROVE, Name.EXPLAIN)
ASK = [Burst(0.5, 0.5, "Explain the cart")]


def listening() -> World:
    return World([]).run(1.0)


def judging() -> World:
    return World([Burst(0.5, 0.5, "Explain the", 0.1)]).run(1.3)


def thinking() -> World:
    return World(ASK, [[Tool(9.0)]]).run(4.0)


def speaking() -> World:
    return World(ASK, [[Speak(LONG)]]).run(3.0)


def held() -> World:
    world = speaking()
    world.give(Pressed("p"))
    return world


def asking() -> World:
    return World(ASK, [[Ask(COMMIT)]]).run(6.0)


def choosing() -> World:
    world = listening()
    world.give(Offered(is_open=True))
    return world


def dictating() -> World:
    world = listening()
    world.give(Pressed("D"))
    return world


def asleep() -> World:
    world = thinking()
    world.give(Pressed("z"))
    return world


def deep_asleep() -> World:
    world = thinking()
    world.give(Pressed("Z"))
    return world


STATES: dict[Callable[[], World], State] = {
    listening: State.LISTENING,
    judging: State.JUDGING,
    thinking: State.THINKING,
    speaking: State.SPEAKING,
    held: State.SPEAKING,
    asking: State.ASKING,
    choosing: State.LISTENING,
    dictating: State.LISTENING,
    asleep: State.ASLEEP,
    deep_asleep: State.ASLEEP,
}
MET = {Needs.QUESTION: [asking], Needs.CHOICE: [choosing], Needs.DICTATION: [dictating]}


def is_expected(command: Command, state: Callable[[], World]) -> bool:
    if command.needs in MET:
        return state in MET[command.needs]
    is_safe = command.tier is Tier.SAFETY or command.name is Name.GOODBYE
    return is_safe or STATES[state] is not State.ASLEEP


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_each_key_does_its_command_in_this_state(state: Callable[[], World]):
    for command in COMMANDS:
        world = state()
        assert world.machine.state is STATES[state]
        begun = len(world.log)
        world.give(Pressed(command.key, (1,), ("these words",)))
        after = [decision for _, decision in world.log[begun:]]
        if command.name in ANSWERS and state is asking:
            settled = [one for one in after if isinstance(one, Resolve)]
            told = [one for one in after if isinstance(one, Say) and one.kind is Kind.QUESTION]
            assert told if command.name is Name.EXPLAIN else settled, command.name
        else:
            done = [one.spoken.name for one in after if isinstance(one, Perform)]
            assert done == [command.name] * is_expected(command, state), command.name


TYPED = {"<number>": "7", "<letters>": "a b c", "<words>": "fast", "<term>": "Zod", "<name>": "Amy"}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name.value)
def test_each_key_can_be_typed_in_a_terminal(command: Command):
    raw = {"enter": "\r", "backspace": "\x7f", "ctrl-d": "\x04", "up": "\x1b[A", "down": "\x1b[B"}
    world = MET[command.needs][0]() if command.needs in MET else listening()
    typed = raw.get(command.key, command.key)
    keys, more = Keys(lambda text: None), ""
    if opening(command):  # it takes words: a line opens, and is sent
        slot = command.says[0][command.says[0].index("<") :].partition(" ")[0]
        more = TYPED[slot] + (" mean fast\r" if command.name is Name.REPLACE_WORD else "\r")
    given = keys.take(typed, world.machine.situation)
    if more:
        assert given == []
        given = keys.take(more, world.machine.situation)
    assert [type(one) for one in given] == [Pressed]
    assert isinstance(given[0], Pressed) and given[0].key == command.key
    assert bool(more) is bool(given[0].numbers or given[0].texts)
