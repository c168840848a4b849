"""Which conversions there are, and the record beside each result by which a stale one is told."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.models.manifest import Model

if TYPE_CHECKING:
    from agent.models.tensor_file import Progress

RECORD = "conversion.json"


@dataclass(frozen=True)
class Converted:
    """One file of a conversion's result."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ConversionRecord:
    """From which sums and by which converter a folder was made, and what its files are."""

    source: tuple[str, ...]
    converter: str
    version: int
    files: tuple[Converted, ...]

    def to_json(self) -> str:
        files = {file.path: {"size": file.size, "sha256": file.sha256} for file in self.files}
        record = {
            "source": list(self.source),
            "converter": self.converter,
            "version": self.version,
            "files": files,
        }
        return json.dumps(record, indent=1)


# A converter's version is raised whenever its result changes, so that every cache is made anew.
VERSIONS = {"whisper-mlx": 1, "qwen2-mlx": 1, "kokoro-float": 2, "piper-split": 1}


def convert(converter: str, source: Path, target: Path, progress: Progress) -> None:
    """Write the files of the conversion of `source` into the empty folder `target`.

    The converters are imported when one is run: they load numpy, gguf and onnx, which listing does not need.
    """
    if converter == "whisper-mlx":
        from agent.models.convert_whisper import convert_whisper

        convert_whisper(source, target, progress)
    elif converter == "qwen2-mlx":
        from agent.models.convert_qwen import convert_qwen

        convert_qwen(source, target, progress)
    elif converter == "kokoro-float":
        from agent.models.convert_kokoro import convert_kokoro

        convert_kokoro(source, target, progress)
    elif converter == "piper-split":
        from agent.models.convert_piper import convert_piper

        convert_piper(source, target, progress)
    else:
        raise ValueError(f"no converter called {converter!r}")


def source_sums(source: Model) -> tuple[str, ...]:
    """What identifies the bytes of a source in a record."""
    return tuple(file.sha256 for file in source.files)


def read_record(folder: Path) -> ConversionRecord | None:
    """The record in a converted folder, or None where there is none that can be read."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        files = tuple(Converted(path, row["size"], row["sha256"]) for path, row in record["files"].items())
        return ConversionRecord(tuple(record["source"]), record["converter"], record["version"], files)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
