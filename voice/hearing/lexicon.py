"""The names that a repository uses, indexed by how they are spoken: its files and its identifiers. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath

from voice.hearing.names import (
    MISHEARD_EXTENSIONS,
    key,
    path_keys,
    said_in_full,
    sound_key,
    spoken_words,
    ways_to_say,
)
from voice.hearing.sounds import sound

_DEEPEST = 4  # parts of a path that are said together
_SHORTER = 0.6  # of the length: what is shorter is not alike


@dataclass(frozen=True)
class Sounding:
    """One way to say a name. `written` is the file as it is said, or the key of identifiers in `by_words`.

    Of its words, single letters are not counted: `timeout_s` is said with one.
    """

    sound: str
    written: str
    is_file: bool
    n_words: int


@dataclass(frozen=True)
class Lexicon:
    """`files` are relative paths with `/`; `identifiers` says how much each name weighs.

    A name's weight is how often it is written, more where it is defined, was changed lately or was taught.
    """

    files: tuple[str, ...] = ()
    identifiers: Mapping[str, float] = field(default_factory=dict[str, float])
    by_path: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    by_words: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    by_sound_key: Mapping[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index files by `path_keys` and identifiers by `key`; the names of one key by falling weight."""
        by_path: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.files:
            for spoken in dict.fromkeys([*path_keys(path), *path_keys(said_in_full(path))]):
                by_path[spoken].append(path)
        by_words: defaultdict[str, list[str]] = defaultdict(list)
        by_sound: defaultdict[str, list[str]] = defaultdict(list)
        for name in sorted(self.identifiers, key=lambda name: (-self.identifiers[name], name)):
            for words in ways_to_say(name):
                by_words[key(words)].append(name)
                if len(words) > 1:
                    by_sound[sound_key(words)].append(name)
        object.__setattr__(self, "by_path", {k: tuple(v) for k, v in by_path.items()})
        object.__setattr__(self, "by_words", {k: tuple(v) for k, v in by_words.items() if k})
        object.__setattr__(self, "by_sound_key", {k: tuple(v) for k, v in by_sound.items()})

    @cached_property
    def soundings(self) -> tuple[Sounding, ...]:
        """Every way to say every name, by sound, the shortest first."""
        found: dict[tuple[str, str], Sounding] = {}
        for name in self.identifiers:
            ways = ways_to_say(name)
            written = key(ways[0])
            n_words = sum(len(word) > 1 or word.isdigit() for word in ways[0])
            for way in ways:
                sounds = sound(" ".join(way))
                if (sounds, written) not in found:
                    found[sounds, written] = Sounding(sounds, written, is_file=False, n_words=n_words)
        for path in self.files:
            parts = path.split("/")
            for depth in range(1, min(len(parts), _DEEPEST) + 1):
                tail = "/".join(parts[-depth:])
                for said in _ways_to_say_path(tail):
                    entry = Sounding(sound(said), tail, is_file=True, n_words=len(said.split()))
                    found.setdefault((entry.sound, entry.written), entry)
        return tuple(sorted((one for one in found.values() if one.sound), key=lambda one: len(one.sound)))

    def of_about_the_length(self, length: int) -> tuple[Sequence[str], int]:
        """The sounds of the `soundings` that may be alike to one of `length`; the number of the first."""
        first = bisect_left(self._lengths, length * _SHORTER)
        last = bisect_right(self._lengths, length / _SHORTER)
        return self._sounds[first:last], first

    @cached_property
    def _sounds(self) -> list[str]:
        return [entry.sound for entry in self.soundings]

    @cached_property
    def _lengths(self) -> list[int]:
        return list(map(len, self._sounds))

    @cached_property
    def file_names(self) -> frozenset[str]:
        """The files, by their paths and by their names."""
        return frozenset(self.files).union(PurePosixPath(path).name for path in self.files)

    @cached_property
    def folders(self) -> frozenset[str]:
        """The names of all folders, as they are spoken."""
        names = {part for path in self.files for part in path.split("/")[:-1]}
        return frozenset(" ".join(spoken_words(name)) for name in names)

    @cached_property
    def stems(self) -> Mapping[str, tuple[str, ...]]:
        """The names of files by the key of what stands before their first dot."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for path in self.files:
            name = PurePosixPath(path).name
            found[key(spoken_words(name.partition(".")[0]))].append(name)
        return {stem: tuple(names) for stem, names in found.items()}


def said_extension(extension: str) -> str:
    """What stands for an extension where sounds are compared: `py` and "pie" are the same."""
    meant = next((real for real, heard in MISHEARD_EXTENSIONS.items() if extension in heard), extension)
    said = {"py": "pie", "toml": "tomel", "json": "jason", "rs": "r s", "ts": "t s", "md": "m d"}
    return said.get(meant, meant)


def _ways_to_say_path(path: str) -> list[str]:
    """`shelf/test_config.py` as "shelf slash test config dot pie"."""
    folders = [" ".join(ways_to_say(part.replace(".", "_dot_"))[-1]) for part in path.split("/")[:-1]]
    stem, *extensions = path.split("/")[-1].split(".")
    end = [f"dot {said_extension(one.lower())}" for one in extensions if one]
    stems = [[*(f"{one} slash" for one in folders), *way] for way in ways_to_say(stem)]
    # With its folder a file is often said without its extension.
    return [" ".join([*one, *end]) for one in stems] + [" ".join(one) for one in stems if folders]
