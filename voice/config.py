"""Settings: `config.yaml`, the user's file and `--set` in one typed model; mistakes name their line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import platformdirs
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rapidfuzz import process

from agent.errors import UtterError

SHIPPED_FILE = Path(__file__).resolve().parents[1] / "config.yaml"


_NO_WORDS_OR_TWO = r"^\s*$|^\s*\S+(\s+\S+)+\s*$"  # a single word is misheard, and said by chance


class SettingsError(UtterError):
    """A settings file or a `--set` that cannot be used, with its line and the nearest right key."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Models(_Section):
    folder: str | None = None
    speech_to_text: str = "whisper-base"
    language_model: str = "qwen2.5-coder-1.5b"


class Engine(_Section):
    name: Literal["auto", "llamacpp", "mlx"] = "auto"
    context_tokens: int = Field(default=8192, ge=2048, le=262_144)
    threads: int = Field(default=0, ge=0, le=512)
    mlx_numbers: Literal["auto", "float16", "bfloat16", "float32"] = "auto"


class Hearing(_Section):
    language: str = Field(default="en", pattern="^[a-z]{2,3}$")
    vad_aggressiveness: int = Field(default=2, ge=0, le=3)
    pre_roll_s: float = Field(default=0.3, ge=0.0, le=2.0)
    endpoint_silence_s: float = Field(default=0.6, ge=0.1, le=10.0)
    max_utterance_s: float = Field(default=28.0, ge=2.0, le=28.0)


class Agent(_Section):
    dialect: Literal["auto", "guided", "native"] = "auto"
    max_steps: int = Field(default=8, ge=1, le=50)
    turn_time_s: float = Field(default=120.0, ge=5.0, le=3600.0)
    test_time_s: float = Field(default=120.0, ge=1.0, le=3600.0)
    run_time_s: float = Field(default=120.0, ge=1.0, le=3600.0)
    mode: Literal["read-only", "ask-first", "work"] = "work"
    sandbox: Literal["auto", "off"] = "auto"
    undo_gib: float = Field(default=1.0, ge=0.01, le=1024.0)


class Speaking(_Section):
    voice: str = "joe"
    speed: float = Field(default=1.0, ge=0.5, le=3.0)
    voices_folder: str | None = None


class Audio(_Section):
    input_device: str | int | None = None
    output_device: str | int | None = None
    echo: Literal["cancel", "half-duplex", "none"] = "cancel"


class Conversation(_Section):
    voice_out: Literal["tts", "screen-reader", "none"] = "tts"
    pause_s: float = Field(default=2.0, ge=0.5, le=30.0)
    join_s: float = Field(default=2.0, ge=0.0, le=30.0)
    listening: Literal["open", "push-to-talk"] = "open"
    wake_phrase: str = Field(default="", pattern=_NO_WORDS_OR_TWO)
    approval_phrase: str = "yes I am sure"
    approval_silence_s: float = Field(default=45.0, ge=5.0, le=600.0)
    keep_audio: bool = False


class Cache(_Section):
    disk_gib: float = Field(default=4.0, ge=0.0, le=1024.0)
    free_disk_gib: float = Field(default=2.0, ge=0.0, le=1024.0)
    parked_gib: float = Field(default=1.0, ge=0.0, le=64.0)


class Settings(_Section):
    """Every setting. A section is a frozen value and is handed whole to the room that it names."""

    models: Models = Models()
    engine: Engine = Engine()
    cache: Cache = Cache()
    hearing: Hearing = Hearing()
    agent: Agent = Agent()
    speaking: Speaking = Speaking()
    audio: Audio = Audio()
    conversation: Conversation = Conversation()


def user_file() -> Path:
    """Where the user's own settings are looked for."""
    return platformdirs.user_config_path("utter") / "config.yaml"


def load(files: Sequence[Path] = (), overrides: Sequence[str] = ()) -> Settings:
    """Read the shipped file, the user's, then `files`, then `overrides` of the form `section.key=value`.

    Raises `SettingsError` for a file in `files` that is not there, for an unknown key and for a wrong type.
    """
    found = [path for path in (SHIPPED_FILE, user_file()) if path.is_file()]
    sources = [_read(path) for path in (*found, *files)]
    sources += [_read_override(text) for text in overrides]
    settings = Settings()
    for source in sources:
        settings = _merge(settings, source)
    return settings


@dataclass(frozen=True)
class _Source:
    """One file or override: its name, its values by dotted path, and the line of each path."""

    name: str
    values: dict[str, Any]
    lines: dict[str, int]

    def where(self, path: str) -> str:
        line = self.lines.get(path)
        return self.name if line is None else f"{self.name}, line {line}"


def _read(path: Path) -> _Source:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"The settings file {path} cannot be read: {error}") from error
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        for key, node, line in _leaves(root, "", str(path)) if root else ():
            if key in lines:
                raise SettingsError(f"{path}, line {line}: {key} was already set in line {lines[key]}.")
            lines[key] = line
            values[key] = loader.construct_object(node, deep=True)  # pyright: ignore[reportUnknownMemberType]
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "this is not YAML"
        raise SettingsError(f"{path}{line}: {problem}. Mend the line or remove the file.") from error
    return _Source(str(path), values, lines)


def _leaves(node: yaml.Node, prefix: str, name: str) -> Iterator[tuple[str, yaml.Node, int]]:
    if not isinstance(node, yaml.MappingNode):
        raise SettingsError(f"{name}, line {node.start_mark.line + 1}: expected `key: value` lines here.")
    for key_node, value in node.value:
        path = f"{prefix}{key_node.value}"
        if isinstance(value, yaml.MappingNode) and value.value:
            yield from _leaves(value, f"{path}.", name)
        else:
            yield path, value, key_node.start_mark.line + 1


def _read_override(text: str) -> _Source:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SettingsError(f"--set {text}: write it as --set section.key=value.")
    try:
        return _Source(f"--set {text}", {key.strip(): yaml.safe_load(value)}, {})
    except (yaml.YAMLError, ValueError) as error:
        raise SettingsError(f"--set {text}: the value is not YAML.") from error


def _merge(settings: Settings, source: _Source) -> Settings:
    merged = settings.model_dump()
    known = [f"{section}.{key}" for section, keys in merged.items() for key in keys]
    for path, value in source.values.items():
        section, _, key = path.partition(".")
        if path in merged and value in ({}, None):
            continue  # a section with nothing under it
        if path not in known:
            nearest = process.extractOne(path, known if section in merged else list(merged))
            hint = f" Did you mean {nearest[0]}?" if nearest and nearest[1] > 50 else ""
            raise SettingsError(f"{source.where(path)}: there is no setting {path}.{hint}")
        whole_number_for_float = isinstance(value, int) and not isinstance(value, bool)
        if whole_number_for_float and isinstance(merged[section][key], float):
            value = float(value)
        merged[section][key] = value
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"][:2])
        where, got = source.where(path), first["input"]
        raise SettingsError(f"{where}: {path}: {first['msg']}; got {got!r}.") from error
