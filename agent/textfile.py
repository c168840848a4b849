"""Reading and writing text files so that nothing but the wanted change changes: encoding, line ends, mode."""

from __future__ import annotations

import codecs
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path

from agent.errors import UtterError

MAX_TEXT_BYTES = 1_000_000
"""Files over this size are never read whole: no source file that a person edits is that long."""

_SNIFFED_BYTES = 8192


class NotText(UtterError):
    """The file is binary, too large, or cannot hold the text that was to be written."""


@dataclass(frozen=True)
class TextFile:
    """Text with `\\n` line ends, and what is needed to write it back byte for byte."""

    text: str
    encoding: str = "utf-8"
    newline: str = "\n"

    def encode(self, text: str) -> bytes:
        """The bytes of `text` in this file's encoding and line ends; raises `NotText` if it does not fit."""
        try:
            return text.replace("\n", self.newline).encode(self.encoding)
        except UnicodeEncodeError as error:
            raise NotText(
                f"The file is {self.encoding} and cannot hold {error.object[error.start]!r}."
            ) from error


def decode(data: bytes) -> TextFile:
    """Decode as UTF-8 (with or without a byte-order mark) or else Latin-1, which every byte fits into."""
    try:
        encoding = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"
        text = data.decode(encoding)
    except UnicodeDecodeError:
        encoding, text = "latin-1", data.decode("latin-1")
    # Mixed line ends stay inside the text, so that lines which are not touched keep theirs.
    if "\r\n" in text and text.count("\r\n") == text.count("\n"):
        return TextFile(text.replace("\r\n", "\n"), encoding, "\r\n")
    return TextFile(text, encoding)


def read_text(path: Path, shown_as: str) -> TextFile:
    """Read a text file; raises `NotText` for a binary or an oversized one without reading it whole."""
    try:
        # A pipe would keep whoever opens it waiting.
        if not stat.S_ISREG((status := path.stat()).st_mode) and not stat.S_ISDIR(status.st_mode):
            raise NotText(f"{shown_as} is not a text file.")
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > MAX_TEXT_BYTES:
                raise NotText(f"{shown_as} is too large to read.")
            data = stream.read(MAX_TEXT_BYTES)
    except FileNotFoundError:
        raise NotText(f"There is no file {shown_as}.") from None
    except IsADirectoryError:
        raise NotText(f"{shown_as} is a folder.") from None
    except OSError as error:
        raise NotText(f"{shown_as} cannot be read: {error.strerror}.") from error
    if b"\0" in data[:_SNIFFED_BYTES]:
        raise NotText(f"{shown_as} is not a text file.")
    return decode(data)


def write_bytes(path: Path, data: bytes, shown_as: str) -> None:
    """Replace `path` in one step, keeping its mode; the old content stays whole when anything fails."""
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
                if path.exists():
                    os.fchmod(stream.fileno(), path.stat().st_mode & 0o7777)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise NotText(f"{shown_as} cannot be written: {error.strerror}.") from error
