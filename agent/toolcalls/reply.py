"""Reads a model's reply as it comes: what is said, what is only thought, calls in the model's own format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from agent.toolcalls.calls import MAX_CALL_CHARS, Outlet, Parsed, next_call_id
from agent.toolcalls.declared import Declared
from agent.toolcalls.source import Malformed, Reader, Source, Unfinished, Wait

ReadCalls = Callable[[Source, Outlet], Wait[None]]

_THOUGHTS = {"<think>": "</think>", "[THINK]": "[/THINK]", "<|channel>thought": "<channel|>"}
_NO_TEXT = ("</think>", "[/THINK]", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<end_of_turn>", "<turn|>")
_FENCES = ("```json", "```")
_CUT = "the call was cut off, because the reply grew too long. Do it in smaller steps"


@dataclass(frozen=True)
class Opening:
    """What a marker begins: `read` reads it, `ends` are where text goes on after a call that is malformed.

    With `is_sure` unset, what begins may be no call: then all of it is text.
    """

    read: ReadCalls
    ends: tuple[str, ...] = ()
    is_sure: bool = True


def _no_openings(tools: Sequence[Declared]) -> Mapping[str, Opening]:
    return {}


@dataclass(frozen=True)
class Format:
    """How a family of models writes calls.

    `openings` are by their markers; `bare` reads a message that is nothing but calls, without any marker,
    where it begins with one of what `bare_starts` gives. `whole` reads all of a reply in a way of its own.
    `call_end` is what a model writes behind a call that is ready.
    """

    name: str
    call_end: str = ""
    openings: Callable[[Sequence[Declared]], Mapping[str, Opening]] = _no_openings
    bare: ReadCalls | None = None
    bare_starts: Callable[[Sequence[Declared]], tuple[str, ...]] = field(default=lambda tools: ("{", "["))
    whole: ReadCalls | None = None


class ReplyParser:
    """Fed the text of one reply in pieces of any size; gives what it was, piece by piece."""

    def __init__(
        self,
        format: Format,
        tools: Sequence[Declared],
        *,
        begins_in_thought: bool = False,
        new_id: Callable[[], str] = next_call_id,
    ) -> None:
        """`begins_in_thought` when the prompt itself opened the model's reasoning."""
        self._outlet = outlet = Outlet(tools, new_id)
        if format.whole is not None:
            whole = format.whole
            self._reader = Reader(lambda source: whole(source, outlet))
        else:
            self._reader = Reader(lambda source: _reply(source, outlet, format, begins_in_thought))

    @property
    def is_between(self) -> bool:
        """Whether all that was fed is whole: the reply could end here, and nothing would be cut in two."""
        return not self._reader.source.is_held and not self._outlet.is_in_call

    def feed(self, text: str) -> list[Parsed]:
        """What `text` makes certain."""
        self._reader.feed(text)
        return self._outlet.drain()

    def finish(self, *, was_cut: bool = False) -> list[Parsed]:
        """The rest; `was_cut` when the token limit ended the reply. A call it cut off is faulty."""
        self._reader.close(was_cut=was_cut)
        return self._outlet.drain()


def guarded(source: Source, outlet: Outlet, opening: Opening, others: tuple[str, ...] = ()) -> Wait[str]:
    """The calls of one opening, however malformed; gives the marker of the next when it has been read."""
    source.room, outlet.is_in_call = MAX_CALL_CHARS, True
    try:
        yield from opening.read(source, outlet)
    except Malformed as error:
        source.room = None
        outlet.give_up(_CUT if isinstance(error, Unfinished) and source.was_cut else str(error))
        marker = yield from source.until((*opening.ends, *others), _drop)
        return "" if marker in opening.ends else marker
    finally:
        source.room, outlet.is_in_call = None, False
    return ""


def _reply(source: Source, outlet: Outlet, format: Format, begins_in_thought: bool) -> Wait[None]:
    if begins_in_thought:
        yield from source.until(tuple(_THOUGHTS.values()), outlet.reasoning)
    openings = format.openings(outlet.tools)
    markers = (*openings, *_THOUGHTS, *_NO_TEXT)
    sink = outlet.text
    yield from source.space()
    if format.bare is not None and not (yield from source.follows(*markers)):
        sink = _drop if (yield from _is_bare(source, outlet, format)) else sink
    marker = ""
    while marker or (marker := (yield from source.until(markers, sink))):
        sink = outlet.text
        if marker in _THOUGHTS:
            yield from source.until((_THOUGHTS[marker],), outlet.reasoning)
            marker = ""
        elif marker not in openings:
            marker = ""
        elif openings[marker].is_sure:
            marker = yield from guarded(source, outlet, openings[marker], tuple(openings))
        else:
            yield from _attempt(source, outlet, openings[marker].read, marker, must_be_all=False)
            marker = ""


def _is_bare(source: Source, outlet: Outlet, format: Format) -> Wait[bool]:
    """Reads a message that is nothing but calls; otherwise nothing is read that is not text."""
    assert format.bare is not None
    bare, starts = format.bare, format.bare_starts(outlet.tools)

    def read(source: Source, trial: Outlet) -> Wait[None]:
        fence = yield from source.accept(*_FENCES)
        yield from source.space()
        start = yield from source.follows(*starts)
        if not start:
            raise Malformed("this is text")
        trial.is_sure = start in ("{", "[")
        yield from bare(source, trial)
        yield from source.space()
        if fence:
            yield from source.accept("```")

    return (yield from _attempt(source, outlet, read, "", must_be_all=True))


def _attempt(
    source: Source, outlet: Outlet, read: ReadCalls, before: str, *, must_be_all: bool
) -> Wait[bool]:
    """Reads calls where there may be only text; the events go on when it is known. Gives which it was."""
    trial = Outlet(outlet.tools, outlet.new_id, only_known=True)
    source.taken, source.room, outlet.is_in_call = [before], MAX_CALL_CHARS, True
    try:
        yield from read(source, trial)
        if must_be_all:
            source.room = None
            yield from source.space()
            is_call = not (yield from source.peek())
        else:
            is_call = True
    except Malformed as error:
        # A declared tool was named in brackets: this was meant as a call, and must not be read aloud.
        is_call = bool(trial.events) and trial.is_sure
        if is_call:
            trial.give_up(_CUT if isinstance(error, Unfinished) and source.was_cut else str(error))
    taken = "".join(source.taken)
    source.taken, source.room, outlet.is_in_call = None, None, False
    if is_call:
        outlet.take_over(trial)
    else:
        outlet.text(taken)
    return is_call


def _drop(text: str) -> None:
    """What follows a malformed call is no text either."""
