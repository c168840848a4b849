"""Voice profiles: one folder each under `voices/`, with a `voice.yaml` that says how the voice is made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import UtterError

VOICES_FOLDER = Path(__file__).resolve().parents[1] / "voices"


class VoiceError(UtterError):
    """There is no such voice, or its profile cannot be used."""


class _ProfileFile(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Literal["piper"]
    model: str
    language: str
    licence: str


@dataclass(frozen=True)
class VoiceProfile:
    """A voice: which synthesiser speaks it, and the name of its weights in the model store."""

    name: str
    engine: Literal["piper"]
    model: str
    language: str
    licence: str


def load_profile(name: str, folder: Path = VOICES_FOLDER) -> VoiceProfile:
    """Read one voice's profile. Raises `VoiceError` with the names there are."""
    file = folder / name / "voice.yaml"
    known = sorted(path.parent.name for path in folder.glob("*/voice.yaml"))
    if name not in known:
        raise VoiceError(f"There is no voice called {name!r}. The voices here: {', '.join(known) or 'none'}.")
    try:
        read = _ProfileFile.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise VoiceError(f"The voice profile {file} cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise VoiceError(f"The voice profile {file}: {where}: {first['msg']}.") from error
    return VoiceProfile(name, read.engine, read.model, read.language, read.licence)
