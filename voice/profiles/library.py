"""The voices there are: those that came with Utter, and the user's own."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from voice.profiles.profile import (
    FILE_NAME,
    Voice,
    VoiceError,
    VoiceProfile,
    plain_name,
    read_profile,
    write_profile,
)

_PARTIAL = ".adding-"
_KILLED_S = 3_600.0
SHIPPED = Path(__file__).resolve().parents[2] / "voices"


def own_folder() -> Path:
    """Where the user's voices are kept: not in a cache, since a lost voice cannot be recorded again."""
    return platformdirs.user_data_path("utter") / "voices"


@dataclass(frozen=True)
class Library:
    """`own` need not exist yet. A voice of the user's goes before a shipped one of the same name."""

    own: Path
    shipped: Path = SHIPPED

    def names(self) -> tuple[str, ...]:
        """All names, in order, of usable voices and of others."""
        folders = {path.parent for root in (self.own, self.shipped) for path in root.glob(f"*/{FILE_NAME}")}
        return tuple(sorted({folder.name for folder in folders if not folder.name.startswith(".")}))

    def load(self, name: str) -> Voice:
        """Raises `VoiceError` with the names there are, or with what is wrong with this one."""
        plain = plain_name(name)
        for root in (self.own, self.shipped):
            if (root / plain / FILE_NAME).is_file():
                return Voice(plain, root / plain, read_profile(root / plain), root == self.shipped)
        known = ", ".join(self.names()) or "none"
        raise VoiceError(f"There is no voice called {plain!r}. The voices here: {known}.")

    def check_free(self, name: str) -> str:
        """The plain form of a name that no voice has. Raises `VoiceError`."""
        plain = plain_name(name)
        if plain in self.names() or (self.own / plain).exists():
            raise VoiceError(
                f"There is a voice called {plain!r} already. Choose another name, "
                f"or remove it first with `utter voices remove {plain}`."
            )
        return plain

    @contextmanager
    def adding(self, name: str) -> Generator[Path]:
        """A folder to write a new voice's files into; it joins the library on leaving, whole or not at all.

        Raises `VoiceError` for a name that is taken, and when what was written cannot be used.
        """
        plain = self.check_free(name)
        self.own.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._sweep()
        partial = Path(tempfile.mkdtemp(prefix=_PARTIAL, dir=self.own))
        try:
            yield partial
            read_profile(partial)
            partial.rename(self.own / plain)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def has(self, voice: Voice) -> bool:
        """Whether `voice` is still as it was read: not removed, nor another one under its name."""
        try:
            return read_profile(voice.folder) == voice.profile
        except VoiceError:
            return False

    def change(self, voice: Voice, profile: VoiceProfile) -> None:
        """Give a voice of the user's another profile, at once and whole; files of the old one go.

        Raises `VoiceError` when it is no longer the voice that was read.
        """
        if not self.has(voice):
            raise VoiceError(f"The voice {voice.name} was changed or removed meanwhile. It stays as it is.")
        fresh = voice.folder / f".{FILE_NAME}"
        write_profile(profile, voice.folder, fresh.name)
        fresh.replace(voice.folder / FILE_NAME)
        for file in {kept.file for kept in voice.profile.files} - {kept.file for kept in profile.files}:
            (voice.folder / file).unlink(missing_ok=True)

    def remove(self, name: str) -> Path:
        """Delete all that is kept of one of the user's voices; gives the folder. Raises `VoiceError`."""
        self._sweep()
        plain = plain_name(name)
        folder = self.own / plain
        if not folder.is_dir():
            if (self.shipped / plain).is_dir():
                raise VoiceError(f"The voice {plain} came with Utter and cannot be removed.")
            raise VoiceError(f"There is no voice called {plain!r} of your own.")
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise VoiceError(
                f"Not all of {folder} could be removed ({error}). Remove the folder by hand."
            ) from error
        return folder

    def _sweep(self) -> None:
        """Delete recordings that an enrolment left when it was killed; none takes an hour."""
        for left in self.own.glob(f"{_PARTIAL}*"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > _KILLED_S:
                    shutil.rmtree(left)


def usable(library: Library) -> Iterator[Voice | tuple[str, str]]:
    """Each voice, or its name and why it cannot be used."""
    for name in library.names():
        try:
            yield library.load(name)
        except VoiceError as error:
            yield name, str(error)
