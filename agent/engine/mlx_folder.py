"""A model folder for MLX as it lies on disk: is it whole, how long is its window, and which model is it."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

from agent.engine.protocol import EngineError

_MEND = "Remove the model and fetch it again."
_SAMPLE_BYTES, _SAMPLES = 1 << 16, 64


def check_folder(folder: Path) -> None:
    """Raises `EngineError` that names the file when weights are missing or cut short. Reads only headers."""
    index = folder / "model.safetensors.index.json"
    try:
        listed: set[str] = set(_json(index)["weight_map"].values()) if index.exists() else set()
    except (OSError, ValueError, LookupError, AttributeError) as error:
        raise EngineError(f"{index} cannot be read ({error}). {_MEND}") from error
    missing = sorted(name for name in listed if not (folder / name).is_file())
    if missing:
        raise EngineError(f"{folder} lacks {', '.join(missing)} of its {len(listed)} files. {_MEND}")
    for path in weight_files(folder):
        size, needed = path.stat().st_size, size_by_header(path)
        if size != needed:
            raise EngineError(f"{path} has {size:,} bytes where its header tells of {needed:,}. {_MEND}")


def weight_files(folder: Path) -> list[Path]:
    """The files that mlx-lm reads weights from."""
    return sorted(folder.glob("model*.safetensors"))


def window_tokens(config: dict[str, Any]) -> int | None:
    """How many tokens the model was made for; None where its configuration does not say (recurrent ones)."""
    texts: list[dict[str, Any]] = [config, config.get("text_config") or {}]
    names = ("max_position_embeddings", "n_positions", "max_sequence_length", "max_seq_len")
    stated = [text[name] for text in texts for name in names if isinstance(text.get(name), int)]
    return min(stated, default=None)


def fingerprint(folder: Path, kv_dtype: str) -> str:
    """Tells apart all that a saved cache depends on: configuration, weights and the type of keys and values.

    Of weights it reads 64 places spread over each file, 4 MB, and the time of its last change: reading
    everything would take longer than loading.
    """
    digest = hashlib.sha256((folder / "config.json").read_bytes())
    digest.update(kv_dtype.encode())
    for path in weight_files(folder):
        facts = path.stat()
        digest.update(f"{path.name} {facts.st_size} {facts.st_mtime_ns}".encode())
        with path.open("rb") as file:
            for number in range(_SAMPLES):
                file.seek(facts.st_size * number // _SAMPLES)
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:32]


def quantisation(folder: Path) -> str:
    """How the weights are quantised, as the configuration says it; "null" where they are not."""
    config = _json(folder / "config.json")
    return json.dumps(config.get("quantization") or config.get("quantization_config"), sort_keys=True)


def size_by_header(path: Path) -> int:
    """Bytes that the file must have. Format: https://github.com/huggingface/safetensors#format."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            table: dict[str, Any] = json.loads(file.read(length))
        ends = [entry["data_offsets"][1] for name, entry in table.items() if name != "__metadata__"]
    except (OSError, ValueError, LookupError, TypeError, OverflowError, MemoryError, struct.error) as error:
        raise EngineError(f"{path} is no safetensors file ({error}). {_MEND}") from error
    return 8 + length + max(ends, default=0)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))
