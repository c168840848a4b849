"""The manifest of models as plain values: a model's files, their sums, the wheels that carry them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

from agent.errors import UtterError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # pyright: ignore[reportMissingImports]

EVERYTHING = "all"  # the set that every model is in


class UnknownModel(UtterError):
    """A name that the manifest does not hold."""


@dataclass(frozen=True, order=True)
class Wheel:
    """One distribution of a package index, at one exact version."""

    distribution: str
    version: str

    @property
    def requirement(self) -> str:
        """As pip takes it."""
        return f"{self.distribution}=={self.version}"


@dataclass(frozen=True)
class Part:
    """One member of a wheel; `size` in bytes."""

    wheel: Wheel
    member: str
    size: int


@dataclass(frozen=True)
class ModelFile:
    """One file of a model: `path` is relative to the model's folder, sizes are in bytes."""

    path: str
    size: int
    sha256: str
    parts: tuple[Part, ...]
    wheels_size: int

    @property
    def wheels(self) -> tuple[Wheel, ...]:
        """The wheels that carry the file, each once, in order."""
        return tuple(dict.fromkeys(part.wheel for part in self.parts))


@dataclass(frozen=True)
class LanguageModel:
    """What an engine and the agent loop must know of a language model before they load it."""

    dialect: str  # how it is shown tools: "guided" or "native"
    context_tokens: int
    tool_format: str = ""  # how it writes calls natively; "" when its chat template tells


@dataclass(frozen=True)
class Model:
    """A model as its publisher made it. `main` is the file that stands for it, or "" for the whole folder."""

    name: str
    use: str
    licence: str
    origin: str
    hub: str
    sets: frozenset[str]
    main: str
    files: tuple[ModelFile, ...]
    language: LanguageModel | None

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(file.size for file in self.files)


@dataclass(frozen=True)
class Derived:
    """A model converted from another one on this machine; `size` in bytes, rounded up."""

    name: str
    use: str
    source: str
    converter: str
    size: int
    sets: frozenset[str]


Entry = Union[Model, Derived]


@dataclass(frozen=True)
class Manifest:
    """All models by name, in the order in which they are listed; a derived one comes after its source."""

    entries: Mapping[str, Entry]

    def entry(self, name: str) -> Entry:
        """The model called `name`; raises `UnknownModel`."""
        try:
            return self.entries[name]
        except KeyError:
            known = ", ".join(self.entries)
            raise UnknownModel(f"There is no model called {name!r}. The models are: {known}.") from None

    def source(self, name: str) -> Model:
        """The published model that `name` is, or is converted from."""
        entry = self.entry(name)
        while isinstance(entry, Derived):
            entry = self.entry(entry.source)
        return entry

    def language(self, name: str) -> LanguageModel | None:
        """What is to be known of a language model; None for models of other kinds."""
        return self.source(name).language

    def names_in(self, set_name: str) -> tuple[str, ...]:
        """The models of a set, in order; raises `UnknownModel` for a set that no model is in."""
        names = tuple(
            name for name, entry in self.entries.items() if set_name == EVERYTHING or set_name in entry.sets
        )
        if not names:
            known = sorted({EVERYTHING}.union(*(entry.sets for entry in self.entries.values())))
            raise UnknownModel(f"There is no set called {set_name!r}. The sets are: {', '.join(known)}.")
        return names


def load_manifest(path: Path | None = None) -> Manifest:
    """Read the manifest that ships with Utter, or the one at `path`."""
    text = (path or Path(__file__).with_name("manifest.toml")).read_text(encoding="utf-8")
    return parse_manifest(text)


def parse_manifest(text: str) -> Manifest:
    """The manifest in `text` (TOML, see the head of manifest.toml)."""
    table = tomllib.loads(text)
    models = [_model(row) for row in table.get("model", ())]
    derived = [_derived(row) for row in table.get("derived", ())]
    return Manifest({entry.name: entry for entry in _in_order(models, derived)})


def _in_order(models: Iterable[Model], derived: Iterable[Derived]) -> Iterable[Entry]:
    rest = list(derived)
    for model in models:
        yield model
        yield from (entry for entry in rest if entry.source == model.name)


def _model(row: Mapping[str, Any]) -> Model:
    language = (
        LanguageModel(row["dialect"], row["context_tokens"], row.get("tool_format", ""))
        if "dialect" in row
        else None
    )
    return Model(
        name=row["name"],
        use=row["use"],
        licence=row["licence"],
        origin=row["origin"],
        hub=row.get("hub", ""),
        sets=frozenset(row["sets"]),
        main=row.get("main", ""),
        files=tuple(_file(file) for file in row["file"]),
        language=language,
    )


def _file(row: Mapping[str, Any]) -> ModelFile:
    size: int = row["size"]
    part_size: int = row.get("part_size", size)
    starts = range(0, size, part_size)
    parts = tuple(
        Part(
            Wheel(row["distribution"].format(n=n), row["version"]),
            row["member"].format(n=n),
            min(part_size, size - start),
        )
        for n, start in enumerate(starts, 1)
    )
    return ModelFile(row["path"], size, row["sha256"], parts, row["wheels_size"])


def _derived(row: Mapping[str, Any]) -> Derived:
    return Derived(
        name=row["name"],
        use=row["use"],
        source=row["source"],
        converter=row["converter"],
        size=row["size"],
        sets=frozenset(row["sets"]),
    )
