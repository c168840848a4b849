"""Recognises local commands: whole utterances matched word by word with the table, no model, no guessing.

Near misses never fire: "stop the server" is no "stop". What is not a command goes to the agent. Extra words
are let through only at the edges and only when they mean nothing ("okay, stop", "could you repeat that
please"): with any two words allowed in front, "do not repeat that" would repeat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from voice.conversation.command_table import COMMANDS, Command, Name, Needs, Tier
from voice.conversation.patterns import fit, patterns
from voice.conversation.words import Word, word_list, words_of

_LONGEST = 12  # words in one utterance of commands, free text aside
_MOST_IN_ONE = 4  # commands in one utterance, and times that one is said over
_MOST_STOPS = 8  # "stop" said more often than this is a loop of the recogniser, not a person
_LEAST_S_A_WORD = 0.12  # no one says "stop stop stop" faster

_LEADING = frozenset(
    word_list("um uh uhm er erm ah oh hmm please okay so well and now just then hey utter otter alright")
)
_TRAILING = frozenset(word_list("please now utter thanks then okay um uh"))
_JOINING = frozenset(("and", "then"))
_ASKING = (("can", "you"), ("could", "you"), ("would", "you"), ("will", "you"))


@dataclass(frozen=True)
class Situation:
    """What is going on while the words are said; decides which commands they can be."""

    question: bool = False
    choice: bool = False
    dictation: bool = False
    asleep: bool = False
    deep_asleep: bool = False


@dataclass(frozen=True)
class Spoken:
    """A command that was said, `times` over. Arguments stand in the order of the words.

    `texts` keep their capitals as heard; of numbers, -1 is the last.
    """

    command: Command
    numbers: tuple[int, ...] = ()
    texts: tuple[str, ...] = ()
    times: int = 1

    @property
    def name(self) -> Name:
        return self.command.name


def commands_in(text: str, situation: Situation, speech_s: float | None = None) -> tuple[Spoken, ...]:
    """The commands that the whole of `text` is, in the order to do them; empty if it is anything else.

    Safety comes first, whatever else was said: "louder, stop" stops. `speech_s` is how long it took to
    say, where that is known.
    """
    words = words_of(text)
    if len(words) > _MOST_STOPS and len({word.plain for word in words}) == 1:
        return ()
    found = _whole(text, words, situation)
    if not found:
        return ()
    if speech_s is not None and any(one.name is Name.ABORT for one in found):
        found = found if speech_s >= _LEAST_S_A_WORD * len(words) else ()
    return tuple(sorted(found, key=_urgency))


def is_complete_command(text: str, situation: Situation) -> bool:
    """Whether nothing needs to follow: a command of which no longer one begins the same way.

    >>> is_complete_command("stop", Situation()), is_complete_command("read line 40", Situation())
    (True, False)
    """
    found = commands_in(text, situation)
    return bool(found) and not any(_ends_open(one) for one in found)


def valid_now(situation: Situation) -> tuple[Command, ...]:
    """The commands that would be understood now, in the table's order."""
    return tuple(command for command in COMMANDS if _is_valid(command, situation))


def by_key(key: str, situation: Situation) -> Command | None:
    """The command of a key, if it can be meant now. What makes things safer can, asleep or not."""
    return next(
        (
            command
            for command in COMMANDS
            if command.key == key and _is_valid(command, situation, by_key=True)
        ),
        None,
    )


def _urgency(spoken: Spoken) -> int:
    order = (Name.ABORT, Name.NO, Name.CANCEL, Name.STOP)
    return order.index(spoken.name) if spoken.name in order else len(order)


def _is_valid(command: Command, situation: Situation, *, by_key: bool = False) -> bool:
    if by_key and (command.tier is Tier.SAFETY or command.name is Name.GOODBYE):
        return command.needs is not Needs.QUESTION or situation.question
    if situation.asleep or situation.deep_asleep:
        return command.name is Name.DEEP_WAKE or (command.name is Name.WAKE and not situation.deep_asleep)
    if situation.dictation and not by_key:
        return command.tier is Tier.SAFETY or command.name in _WHILE_DICTATING
    needed = {
        Needs.NOTHING: True,
        Needs.QUESTION: situation.question,
        Needs.CHOICE: situation.choice,
        Needs.DICTATION: situation.dictation,
    }
    return needed[command.needs]


_WHILE_DICTATING = frozenset({Name.DICTATION_OFF, Name.SEND, Name.SCRATCH_THAT, Name.PAUSE, Name.LITERAL})


def _whole(text: str, words: Sequence[Word], situation: Situation) -> tuple[Spoken, ...]:
    for candidate in _without_edges(words):
        one = _one(text, candidate, situation)
        if one is not None:
            return (one,)
    stripped = _stripped(words)
    return _several(text, stripped, situation) if 1 < len(stripped) <= _LONGEST else ()


def _without_edges(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """The words as they are, then without what means nothing at their edges."""
    yield words
    stripped = _stripped(words)
    if len(stripped) < len(words):
        yield stripped


def _stripped(words: Sequence[Word]) -> Sequence[Word]:
    start, end = 0, len(words)
    while start < end and words[start].plain in _LEADING:
        start += 1
    while end > start and words[end - 1].plain in _TRAILING:
        end -= 1
    return words[start:end]


def _one(text: str, words: Sequence[Word], situation: Situation) -> Spoken | None:
    """The one command that all of `words` are, perhaps said several times over."""
    spoken = _once(text, words, situation)
    if spoken is not None:
        return spoken
    plain = [word.plain for word in words]
    if tuple(plain[:2]) in _ASKING:
        asked = _once(text, _stripped(words[2:]), situation)
        return asked if asked is not None and asked.command.tier is Tier.HARMLESS else None
    return _repeated(text, words, plain, situation)


def _repeated(text: str, words: Sequence[Word], plain: list[str], situation: Situation) -> Spoken | None:
    """People say a command again when nothing happens: "wake up, wake up"."""
    for times in range(2, _MOST_STOPS + 1):
        length, left = divmod(len(words), times)
        if left or not length or plain != plain[:length] * times:
            continue
        spoken = _once(text, words[:length], situation)
        if spoken is None or spoken.command.tier is Tier.CONFIRM or spoken.texts:
            continue
        if spoken.name is Name.STOP and length == 1 and times >= 3:
            return _once(text, words[:3], situation)
        if times <= _MOST_IN_ONE:
            return Spoken(spoken.command, spoken.numbers, (), times)
    return None


def _several(text: str, words: Sequence[Word], situation: Situation) -> tuple[Spoken, ...]:
    """As few commands as all of `words` can be taken apart into; none if they cannot."""
    fewest: dict[int, tuple[Spoken, ...]] = {len(words): ()}  # by the word they begin with
    for start in range(len(words) - 1, -1, -1):
        found: list[tuple[Spoken, ...]] = []
        if words[start].plain in _JOINING and start > 0 and fewest.get(start + 1):
            found.append(fewest[start + 1])
        for end in range(start + 1, len(words) + 1):
            rest = fewest.get(end)
            one = None if rest is None else _one(text, words[start:end], situation)
            if rest is not None and one is not None and _may_be_among_others(one):
                found.append((one, *rest))
        if found:
            fewest[start] = min(found, key=len)
    several = fewest.get(0, ())
    is_loop = len({one.name for one in several}) < len(several)
    return several if 1 < len(several) <= _MOST_IN_ONE and not is_loop else ()


def _may_be_among_others(spoken: Spoken) -> bool:
    return not spoken.texts and spoken.command.tier is not Tier.CONFIRM


def _once(text: str, words: Sequence[Word], situation: Situation) -> Spoken | None:
    if not words:
        return None
    for command, pattern in patterns():
        if not _is_valid(command, situation):
            continue
        arguments = fit(text, pattern, words, fuzzy=command.tier is Tier.HARMLESS)
        if arguments is not None:
            return Spoken(command, arguments.numbers, arguments.texts)
    return None


def _ends_open(spoken: Spoken) -> bool:
    """Whether more of the same command may follow: free words, or a second number."""
    return bool(spoken.texts or spoken.numbers) or spoken.name in (Name.SLEEP, Name.SPELL_THAT, Name.UNDO)
