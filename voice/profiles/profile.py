"""A voice profile: a folder with a `voice.yaml` that says how the voice is made and by whose leave."""

from __future__ import annotations

import datetime
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import UtterError
from voice.profiles.consent import is_consent, is_named, standing_sentence

VERSION = 1
FILE_NAME = "voice.yaml"
EngineName = Literal["piper", "kokoro", "pocket", "coqui", "mlx"]
CLONING: frozenset[EngineName] = frozenset({"pocket", "coqui", "mlx"})

_PLAIN_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_SHA256 = "^[0-9a-f]{64}$"
# Not voice.yaml, and nothing that an engine made of a recording and would use in its place.
_FILE = r"^[a-z0-9][a-z0-9._-]{0,60}\.(txt|flac|wav|ogg|mp3|npz)$"
_MOST_PROFILE_BYTES = 20_000
_MOST_CONSENT_BYTES = 10_000
_LONGEST_NAME = 100


class VoiceError(UtterError):
    """There is no such voice, or its profile cannot be used."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Kept(_Section):
    """A file of the profile's folder and the SHA-256 of its bytes."""

    file: str = Field(pattern=_FILE)
    sha256: str = Field(pattern=_SHA256)

    @classmethod
    def of(cls, file: Path) -> Kept:
        """Of a file that is there."""
        return cls(file=file.name, sha256=hashlib.sha256(file.read_bytes()).hexdigest())


class Consent(_Section):
    """Who agreed, when, in which words; `audio` is their saying it, and None when it was given in writing."""

    name: str = Field(min_length=1, max_length=_LONGEST_NAME)
    date: datetime.date
    text: Kept
    audio: Kept | None = None


class VoiceProfile(_Section):
    """What `voice.yaml` holds. A voice taken from a person has a consent, any other has a licence."""

    version: int = VERSION
    engine: EngineName
    model: str = Field(
        min_length=1
    )  # name of the weights in the model store, or the engine's own name for them
    voice: str | dict[str, float] = ""  # for kokoro: which of its voices, or the share of each
    language: str = Field(pattern="^[a-z]{2,3}$")
    created: datetime.date | None = None
    licence: str = ""
    consent: Consent | None = None
    reference: Kept | None = None
    words: Kept | None = None  # what is said at the beginning of the reference, for engines that need it
    matching: Kept | None = None
    likeness: float | None = None  # as measured when it was enrolled, by what also guided the fit

    @property
    def kind(self) -> str:
        """What a listener should be told that this is: plain, matched or cloned."""
        if self.engine in CLONING and self.reference is not None:
            return "cloned"
        return "plain" if self.matching is None else "matched"

    @property
    def is_of_a_person(self) -> bool:
        """Whether someone's recording went into it."""
        return self.reference is not None or self.matching is not None

    @property
    def files(self) -> tuple[Kept, ...]:
        """The files that belong to it beside `voice.yaml`."""
        consent = () if self.consent is None else (self.consent.text, self.consent.audio)
        own = (self.reference, self.words, self.matching)
        return tuple(kept for kept in (*consent, *own) if kept is not None)


@dataclass(frozen=True)
class Voice:
    """A profile where it lies. `is_shipped` voices came with Utter."""

    name: str
    folder: Path
    profile: VoiceProfile
    is_shipped: bool = False


def plain_name(name: str) -> str:
    """A voice's name as its folder is called: lower case, with hyphens. Raises `VoiceError` for none."""
    found = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
    if not _PLAIN_NAME.fullmatch(found) or len(name) > _LONGEST_NAME:
        raise VoiceError(f"{name!r} is no name for a voice. Use letters from a to z, digits and hyphens.")
    return found


def read_profile(folder: Path) -> VoiceProfile:
    """Read and check a folder: its `voice.yaml`, that there is leave for it, that no file is altered.

    Raises `VoiceError`.
    """
    file = folder / FILE_NAME
    try:
        if file.stat().st_size > _MOST_PROFILE_BYTES:
            raise VoiceError(f"The voice profile {file} is no profile: it is too large.")
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        raise VoiceError(f"The voice profile {file} cannot be read: {error}") from error
    version = raw.get("version", VERSION) if isinstance(raw, dict) else VERSION
    if isinstance(version, int) and version > VERSION:
        raise VoiceError(
            f"The voice profile {file} is of version {version}; this Utter reads up to version {VERSION}. "
            "Update Utter, or export the voice from where it was made once more."
        )
    try:
        profile = VoiceProfile.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise VoiceError(f"The voice profile {file}: {where}: {first['msg']}.") from error
    _check(profile, folder)
    return profile


def write_profile(profile: VoiceProfile, folder: Path, name: str = FILE_NAME) -> None:
    """Write the profile into `folder`, as `voice.yaml` or under another name."""
    values = profile.model_dump(mode="json", exclude_defaults=True)
    text = yaml.safe_dump({"version": profile.version, **values}, sort_keys=False, allow_unicode=True)
    (folder / name).write_text(text, encoding="utf-8")


def _check(profile: VoiceProfile, folder: Path) -> None:
    if profile.is_of_a_person and profile.consent is None:
        raise VoiceError(
            f"The voice {folder.name} was taken from a person, and {folder / FILE_NAME} has no consent of "
            "theirs. It is not used. Enrol it with `utter voices add`, which asks for it."
        )
    if profile.consent is None and not profile.licence:
        raise VoiceError(f"The voice profile {folder / FILE_NAME} has neither a licence nor a consent.")
    for kept in profile.files:
        file = folder / kept.file
        if file.is_symlink():
            raise VoiceError(
                f"The file {file} is a link, so the voice {folder.name} is not kept in one place. "
                "It is not used; enrol or import it again."
            )
        try:
            sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise VoiceError(
                f"The voice {folder.name} lacks its file {file} ({error.strerror}). "
                "It is not used; enrol or import it again."
            ) from error
        if sha256 != kept.sha256:
            raise VoiceError(
                f"The file {file} is not the one that was enrolled. "
                f"The voice {folder.name} is not used; enrol or import it again."
            )
    if profile.consent is not None:
        _check_text(profile.consent, folder)


def _check_text(consent: Consent, folder: Path) -> None:
    file = folder / consent.text.file
    text = file.read_bytes()[:_MOST_CONSENT_BYTES].decode("utf-8", "replace")
    sentence = standing_sentence(consent.name)
    if not is_consent(sentence, text) or not is_named(consent.name, text):
        raise VoiceError(
            f"The consent {file} does not say what it must: “{sentence}” The voice {folder.name} is not used."
        )
