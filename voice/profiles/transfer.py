"""A voice as one file, to be kept or taken to another machine: a zip, refused when it was altered."""

from __future__ import annotations

import hashlib
import json
import lzma
import re
import zipfile
import zlib
from pathlib import Path

from voice.profiles.library import Library
from voice.profiles.profile import FILE_NAME, Voice, VoiceError, read_profile

SUFFIX = ".utter-voice"
_SUMS = "sums.json"
_MAX_BYTES = 256 << 20  # a reference of an hour is less
_MEMBER = re.compile(r"[a-z0-9][a-z0-9._-]{0,60}")


def export_voice(voice: Voice, file: Path) -> str:
    """Write `voice` to `file`; gives the fingerprint that shows whether a copy is the same.

    Raises `VoiceError`.
    """
    if file.suffix != SUFFIX:  # no other file of the user's is ever overwritten
        raise VoiceError(f"{file} is no name for an exported voice: it must end in {SUFFIX}.")
    read_profile(voice.folder)
    members = [voice.folder / FILE_NAME, *(voice.folder / kept.file for kept in voice.profile.files)]
    contents = {member.name: member.read_bytes() for member in members}
    sums = {"name": voice.name, "sha256": {name: _sha256(data) for name, data in sorted(contents.items())}}
    listed = json.dumps(sums, sort_keys=True).encode()
    partial = file.with_name(f".{file.name}.part")
    try:
        with zipfile.ZipFile(partial, "w") as archive:
            for name, data in {_SUMS: listed, **contents}.items():
                archive.writestr(name, data)
        partial.replace(file)
    except OSError as error:
        raise VoiceError(
            f"{file} could not be written ({error}). Choose a folder that exists and has room."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return _fingerprint(listed)


def import_voice(file: Path, library: Library, name: str = "", fingerprint: str = "") -> tuple[Voice, str]:
    """Add the voice in `file` to the library, as `name` or as it was called; gives it and its fingerprint.

    With `fingerprint`, one that export told, nothing else is accepted. Raises `VoiceError`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            infos = {info.filename: info for info in archive.infolist()}
            if len(infos) != len(archive.infolist()) or sum(i.file_size for i in infos.values()) > _MAX_BYTES:
                raise _altered(file)
            listed = archive.read(_SUMS)
            sums = json.loads(listed)
            expected: dict[str, str] = sums["sha256"]
            called = str(sums["name"])
            if set(infos) != {_SUMS, *expected} or not all(map(_MEMBER.fullmatch, expected)):
                raise _altered(file)
            contents = {member: archive.read(member) for member in expected}
    except FileNotFoundError as error:
        raise VoiceError(f"There is no file {file}. Check the path.") from error
    except (
        OSError,
        zipfile.BadZipFile,
        zlib.error,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        EOFError,
        RuntimeError,  # encrypted, packed in a way that is not known, or nested without end
        lzma.LZMAError,
    ) as error:
        raise VoiceError(f"{file} is not a voice that Utter exported, or it is damaged ({error}).") from error
    if any(_sha256(data) != expected[member] for member, data in contents.items()):
        raise _altered(file)
    told = _fingerprint(listed)
    if fingerprint and "".join(fingerprint.lower().split()) != told.replace(" ", ""):
        raise VoiceError(
            f"{file} has the fingerprint {told}, not the one you gave. It is not the file that was exported."
        )
    with library.adding(name or called) as folder:
        for member, data in contents.items():
            (folder / member).write_bytes(data)
        if set(contents) != {FILE_NAME, *(kept.file for kept in read_profile(folder).files)}:
            raise _altered(file)  # what no profile names is checked by nobody
    return library.load(name or called), told


def _altered(file: Path) -> VoiceError:
    return VoiceError(f"{file} was altered after it was exported and is not imported. Export it once more.")


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _fingerprint(listed: bytes) -> str:
    """Twenty hexadecimal digits in groups of four, which two people can compare aloud."""
    digits = _sha256(listed)[:20]
    return " ".join(digits[start : start + 4] for start in range(0, 20, 4))
