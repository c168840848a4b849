"""Looks the machine over for `utter doctor`: each check is one line that also says the mend."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.engine.blas import REFERENCE_GFLOPS, interpose_openblas, measure_gflops
from agent.errors import UtterError
from agent.models.store import ModelStore
from voice.app import engine_name, find_sandbox, language_model, needed_models
from voice.audio.devices import devices
from voice.config import SHIPPED_FILE, Settings, user_file
from voice.opening import WATERMARK
from voice.talking import TURN_MODEL

_BLAS_MEND = (
    "install OpenBLAS (Debian: apt-get install libopenblas0-pthread); until then the engine mlx is slow"
)
_SPARE_BYTES = 2_000_000_000


@dataclass(frozen=True)
class Finding:
    """One line: `ok` is False where something needs mending, and `mend` then says how."""

    name: str
    ok: bool
    detail: str
    mend: str = ""


def examine(settings: Settings, store: ModelStore) -> Iterator[Finding]:
    """Every check in turn; a check that fails to run is itself a finding."""
    checks: dict[str, Callable[[], list[Finding]]] = {
        "Python": lambda: [_python()],
        "BLAS": lambda: [_blas()],
        "GPU": lambda: [_gpu()],
        "Audio": lambda: [_audio()],
        "Models": lambda: _models(settings, store),
        "Context": lambda: _context(settings, store),
        "Watermark": lambda: [_watermark(store)],
        "Disk": lambda: [_disk(store.root)],
        "git": lambda: [_program("git", "version control of what changed", "install git")],
        "Sandbox": lambda: [_sandbox(settings)],
        "Settings": lambda: [_settings()],
    }
    for name, check in checks.items():
        try:
            yield from check()
        except Exception as error:  # whatever a library throws, the other checks still run
            yield Finding(name, False, "could not be checked", str(error))


def _python() -> Finding:
    version = platform.python_version()
    ok = (3, 10) <= sys.version_info[:2] <= (3, 13)
    where = f"{version} on {platform.system()} {platform.machine()}"
    return Finding("Python", ok, where, "" if ok else "use Python 3.10 to 3.13")


def _blas() -> Finding:
    if sys.platform == "darwin":
        return Finding("BLAS", True, f"Accelerate, {measure_gflops():.0f} GFLOP/s in float32")
    interposed = interpose_openblas()
    gflops = measure_gflops()
    detail = f"{gflops:.0f} GFLOP/s in float32; the reference BLAS gives {REFERENCE_GFLOPS:.1f}"
    ok = interposed.library is not None
    return Finding("BLAS", ok, detail, "" if ok else f"{interposed.reason}; {_BLAS_MEND}")


def _gpu() -> Finding:
    import mlx.core as mx

    device = "Metal" if mx.metal.is_available() else ""
    nvidia = shutil.which("nvidia-smi")
    if not device and nvidia:
        query = [nvidia, "--query-gpu=name", "--format=csv,noheader"]
        asked = subprocess.run(query, capture_output=True, text=True, timeout=10, check=False)
        device = (
            asked.stdout.strip().splitlines()[0] if asked.returncode == 0 and asked.stdout.strip() else ""
        )
    return Finding("GPU", True, device or "none; the language model runs on the processor by llama.cpp")


def _audio() -> Finding:
    try:
        found = devices()
    except UtterError as error:
        return Finding("Audio", False, "no live audio", str(error))
    speakers = [device.name for device in found if device.output_channels]
    microphones = [device.name for device in found if device.input_channels]
    if not speakers:
        return Finding("Audio", False, "no speaker was found", "plug in or switch on a speaker or headset")
    detail = f"speakers: {', '.join(speakers)}; microphones: {', '.join(microphones) or 'none'}"
    return Finding("Audio", True, detail)


def _models(settings: Settings, store: ModelStore) -> list[Finding]:
    findings: list[Finding] = []
    for name in (*needed_models(settings, store), TURN_MODEL):
        try:
            findings.append(Finding(f"Model {name}", True, str(store.path(name))))
        except UtterError as error:
            findings.append(Finding(f"Model {name}", False, "not here", str(error)))
    return findings


def _context(settings: Settings, store: ModelStore) -> list[Finding]:
    """Of which class the language model is, where MLX runs it; llama.cpp sees to that by itself."""
    name = language_model(settings, store)
    if engine_name(settings, store) != "mlx" or name not in store.manifest.entries:
        return []
    try:
        folder = store.path(name)
    except UtterError:
        return []  # already said
    from agent.engine.mlx_model import MlxModel

    try:
        model = MlxModel(folder, numbers=settings.engine.mlx_numbers, only_look=True)
    except UtterError as error:
        return [Finding("Context", False, f"{name} cannot be loaded", str(error))]
    window = f"{model.window_tokens:,} tokens" if model.window_tokens else "no limit of its own"
    detail = f"{model.family.value}; keys and values in {model.kv_dtype}; window: {window}"
    return [Finding("Context", True, f"{name}: {detail}")]


def _watermark(store: ModelStore) -> Finding:
    """Never a fault: what is saved says in its metadata that it is synthetic in any case."""
    if store.is_ready(WATERMARK):
        return Finding("Watermark", True, "on: speech that is saved carries an inaudible mark")
    return Finding("Watermark", True, f"off; `utter models fetch {WATERMARK}` switches it on")


def _disk(folder: Path) -> Finding:
    there = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(there).free
    ok = free > _SPARE_BYTES
    mend = "" if ok else f"free some space on the disk of {there}, or set models.folder to another disk"
    return Finding("Disk", ok, f"{free / 1e9:.1f} GB free for models in {folder}", mend)


def _program(name: str, use: str, mend: str) -> Finding:
    found = shutil.which(name)
    return Finding(name, found is not None, found or f"not found; {use} will not work", "" if found else mend)


def _sandbox(settings: Settings) -> Finding:
    """Tried on a folder of its own: it is the same for every project."""
    with tempfile.TemporaryDirectory(prefix="utter-sandbox-") as folder:
        found = find_sandbox(settings, Path(folder).resolve(), Path(folder) / "cache")
    if found.sandbox is None:
        detail = f"off, {found.reason}: commands and tests may write anywhere and reach the network"
        return Finding("Sandbox", not found.mend, detail, found.mend)
    kind = found.sandbox.kind.value
    detail = f"on, by {kind}: commands and tests write only into the project and reach no network"
    return Finding("Sandbox", True, detail)


def _settings() -> Finding:
    own = user_file()
    state = "in use" if own.is_file() else "not made yet"
    return Finding("Settings", True, f"{SHIPPED_FILE}; your own: {own} ({state})")
