"""Where in a file the changes lie: by function and class, from syntax trees or else from the hunks. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import groupby

from rapidfuzz import fuzz

from agent.code.definitions import defined_in
from agent.code.outline import blocks_of, symbols_of
from agent.code.symbols import Symbol, SymbolKind, enclosing
from agent.facts import LineChange
from voice.narration.runs import Run

_KEPT_CHANGES = 4  # of one place
_MOST_PAIRS = 400  # compared in search of renamed symbols
_SAME_BODY = 85.0  # of 100
_SHORT_LINES = 3  # what is no longer is alike by chance, so that it must be the same
_BODY_CHARS = 4_000


class Happened(str, Enum):
    NEW = "new"
    GONE = "gone"
    RENAMED = "renamed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Place:
    """A symbol that was touched, or with an empty name what lies outside of all.

    `changes` holds the first changed lines; a new symbol has none, and its `added` are all its lines.
    """

    name: str
    kind: SymbolKind | None
    happened: Happened
    line: int
    added: int = 0
    removed: int = 0
    changes: tuple[LineChange, ...] = ()
    old_name: str = ""
    members: int = 0
    respaced: int = 0  # lines that changed in white space alone

    @property
    def bare_name(self) -> str:
        return self.name.rpartition(".")[2]


@dataclass
class _Growing:
    name: str
    kind: SymbolKind | None
    line: int
    happened: Happened = Happened.CHANGED
    added: int = 0
    removed: int = 0
    changes: list[LineChange] = field(default_factory=list[LineChange])
    respaced: int = 0

    def take(self, run: Run) -> None:
        self.added += len(run.added)
        self.removed += len(run.removed)
        self.respaced += run.respaced
        for change in run.changes():
            if len(self.changes) <= _KEPT_CHANGES:
                self.changes.append(change)

    def place(self) -> Place:
        return Place(
            self.name, self.kind, self.happened, self.line, self.added, self.removed, tuple(self.changes),
            respaced=self.respaced,
        )  # fmt: skip


def places_of(path: str, runs: Sequence[Run], before: str | None, after: str | None) -> tuple[Place, ...]:
    """The places of one file in the order of its lines; the texts are None where they are not known."""
    if before is not None and after is not None:
        old, new = _symbols(path, before), _symbols(path, after)
        if (old or not before.strip()) and (new or not after.strip()):
            return _by_trees(runs, _Side(before, old), _Side(after, new))
    return _by_hunks(runs)


# ------------------------------------------------------------------------------------------- by syntax trees


@dataclass(frozen=True)
class _Side:
    """One of the two states of a file."""

    text: str
    symbols: tuple[Symbol, ...]

    def body(self, symbol: Symbol) -> str:
        lines = self.text.split("\n")[symbol.first_line - 1 : symbol.last_line]
        return "\n".join(lines)[:_BODY_CHARS].replace(symbol.bare_name, "\0")


def _symbols(path: str, text: str) -> tuple[Symbol, ...]:
    return (*symbols_of(path, text), *blocks_of(path, text))


def _by_trees(runs: Sequence[Run], old: _Side, new: _Side) -> tuple[Place, ...]:
    was = {symbol.name: symbol for symbol in old.symbols}
    now = {symbol.name: symbol for symbol in new.symbols}
    gone = [symbol for name, symbol in was.items() if name not in now]
    come = [symbol for name, symbol in now.items() if name not in was]
    renamed = _renamed(gone, come, old, new)
    come_alone = {symbol.name for symbol in come if symbol.name not in renamed}
    gone_alone = {symbol.name for symbol in gone} - {one.name for one in renamed.values()}
    now_called = {symbol.name: name for name, symbol in renamed.items()}
    grown: dict[str, _Growing] = {}
    for run in runs:
        for piece, symbol in _pieces(run, old.symbols, new.symbols):
            name = symbol.name if symbol is not None else ""
            name = name if piece.added else now_called.get(name, name)
            if name in come_alone or (name in gone_alone and not piece.added):
                continue
            kind = symbol.kind if symbol is not None else None
            place = grown.setdefault(name, _Growing(name, kind, piece.new_line))
            place.take(piece)
    places = [place.place() for place in grown.values() if place.name not in renamed and place.changes]
    places += [_new(symbol, come_alone, now.values()) for symbol in come if _is_outermost(symbol, come_alone)]
    places += [
        Place(symbol.name, symbol.kind, Happened.GONE, symbol.def_line, removed=symbol.n_lines)
        for symbol in gone
        if _is_outermost(symbol, gone_alone)
    ]
    for name, symbol in renamed.items():
        after = now[name]
        place = grown.get(name)
        places.append(
            Place(name, after.kind, Happened.RENAMED, after.def_line, place.added if place else 0,
                  place.removed if place else 0, old_name=symbol.name)
        )  # fmt: skip
    return tuple(sorted(places, key=lambda place: (place.line, place.name)))


def _pieces(
    run: Run, old: tuple[Symbol, ...], new: tuple[Symbol, ...]
) -> Iterable[tuple[Run, Symbol | None]]:
    """A run cut where one symbol ends and the next begins; what was replaced goes with the first piece."""
    if not run.added:
        owners = [enclosing(old, run.old_line + at) for at in range(len(run.removed))]
        for start, end in _stretches(owners):
            yield Run(run.old_line + start, run.new_line, run.removed[start:end], ()), owners[start]
        return
    removed = run.removed
    owners = [enclosing(new, run.new_line + at) for at in range(len(run.added))]
    for start, end in _stretches(owners):
        yield Run(run.old_line, run.new_line + start, removed, run.added[start:end]), owners[start]
        removed = ()


def _stretches(owners: Sequence[Symbol | None]) -> Iterator[tuple[int, int]]:
    """Where the same symbol owns line after line: first and one past the last."""
    start = 0
    for _, group in groupby(owners, key=lambda owner: owner.name if owner is not None else ""):
        end = start + len(list(group))
        yield start, end
        start = end


def _renamed(gone: list[Symbol], come: list[Symbol], old: _Side, new: _Side) -> dict[str, Symbol]:
    """Symbols under their new names, with what they were: the body is nearly the same."""
    found: dict[str, Symbol] = {}
    if len(gone) * len(come) > _MOST_PAIRS:
        return found
    pairs = [(one, other) for one in gone for other in come if one.kind is other.kind]
    scored = sorted(((fuzz.ratio(old.body(one), new.body(other)), one, other) for one, other in pairs),
                    key=lambda pair: -pair[0])  # fmt: skip
    taken: set[str] = set()
    for score, one, other in scored:
        if score >= _SAME_BODY and one.name not in taken and other.name not in found:
            if score < 100 and old.body(one).count("\n") < _SHORT_LINES:
                continue
            taken.add(one.name)
            found[other.name] = one
    return found


def _is_outermost(symbol: Symbol, among: set[str]) -> bool:
    parent = symbol.name.rpartition(".")[0]
    return symbol.name in among and parent not in among


def _new(symbol: Symbol, come: set[str], every: Iterable[Symbol]) -> Place:
    prefix = f"{symbol.name}."
    members = sum(1 for other in every if other.name.startswith(prefix) and other.is_callable)
    return Place(
        symbol.name, symbol.kind, Happened.NEW, symbol.def_line, added=symbol.n_lines, members=members
    )


# --------------------------------------------------------------------------------------------- by hunks alone


def _by_hunks(runs: Sequence[Run]) -> tuple[Place, ...]:
    """As far as the hunks show it: definitions among their lines, and what git says that they lie in."""
    defined = {side: _definitions(getattr(run, side) for run in runs) for side in ("removed", "added")}
    renamed = dict(filter(None, (_renamed_in(run, defined) for run in runs)))
    grown: dict[str, _Growing] = {}
    current: tuple[str, SymbolKind, int] | None = None
    for run in runs:
        if run.heading:
            current = defined_in(run.heading)
        for line in run.context:
            current = _follow(line, current)
        rest_added: list[str] = []
        owner = current
        blocks: list[tuple[tuple[str, SymbolKind, int] | None, list[str]]] = []
        for line in run.added:
            current = _follow(line, current)
            if current != owner:
                while rest_added and not rest_added[-1].strip():
                    rest_added.pop()  # between two definitions
                blocks.append((owner, rest_added))
                owner, rest_added = current, []
            rest_added.append(line)
        blocks.append((owner, rest_added))
        start, removed = run.new_line, run.removed
        for number, (symbol, lines) in enumerate(blocks):
            # What was removed goes with the definition in its place.
            if not lines and (not removed or number + 1 < len(blocks)):
                continue
            name, kind, _ = symbol or ("", None, 0)
            place = grown.setdefault(name, _Growing(name, kind, start))
            place.take(Run(run.old_line, start, removed, tuple(lines)))
            start, removed = start + len(lines), ()
    for name, place in grown.items():
        if name in defined["added"] and name not in defined["removed"]:
            place.happened = Happened.NEW
    places = [
        replace(place.place(), happened=Happened.RENAMED, old_name=renamed[place.name])
        if place.name in renamed
        else place.place()
        for place in grown.values()
        if place.changes
    ]
    gone = [name for name in defined["removed"] if name not in (*defined["added"], *renamed.values())]
    places += [Place(name, defined["removed"][name], Happened.GONE, 0) for name in gone]
    return tuple(places)


def _renamed_in(run: Run, defined: Mapping[str, Mapping[str, SymbolKind]]) -> tuple[str, str] | None:
    """The new name and the old, where one line that defines took the place of another and the body stayed."""
    if len(run.removed) != 1 or not run.added:
        return None
    old, new = defined_in(run.removed[0]), defined_in(run.added[0])
    if old is None or new is None or old[1:] != new[1:] or old[1] is SymbolKind.CONSTANT:
        return None
    is_other = old[0] not in defined["added"] and new[0] not in defined["removed"]
    return (new[0], old[0]) if is_other else None


def _follow(line: str, current: tuple[str, SymbolKind, int] | None) -> tuple[str, SymbolKind, int] | None:
    """What the code after `line` lies in."""
    found = defined_in(line)
    if found:
        return found
    text = line.strip()
    if current is None or not text:
        return current
    return None if len(line) - len(line.lstrip()) <= current[2] and text[0] not in ")]{@#" else current


def _definitions(blocks: Iterable[Sequence[str]]) -> dict[str, SymbolKind]:
    found = [defined_in(line) for block in blocks for line in block]
    return {one[0]: one[1] for one in found if one is not None}
