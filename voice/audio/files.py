"""Sound files: any that libsndfile reads, as 16 kHz mono frames, block by block; and speech written out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from agent.errors import UtterError
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE, Samples
from voice.audio.watermark import Watermark

MAX_CHANNELS = 8  # a surround recording; more is not a recording of speech
RATES = (4_000, 384_000)  # Hz, from the telephone to the measuring microphone

# What the metadata of synthetic speech hold, in the words of a public list that other programs know:
# https://cv.iptc.org/newscodes/digitalsourcetype/
_SYNTHETIC = (
    "Synthetic speech; DigitalSourceType="
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
)
_KINDS = {
    ".wav": ("WAV", "PCM_16"),
    ".flac": ("FLAC", "PCM_16"),
    ".ogg": ("OGG", "VORBIS"),
    ".mp3": ("MP3", "MPEG_LAYER_III"),
}
_BLOCK_SAMPLES = 4_096  # of one channel; a block that cannot be read whole is lost, so it is small


class AudioFileError(UtterError):
    """A sound file cannot be read or written."""


@dataclass(frozen=True)
class Flaw:
    """Something wrong with a file that was read all the same; `message` is a sentence for the user."""

    path: Path
    message: str


class _Sequential(sf.SoundFile):
    """A file read from front to back.

    soundfile seeks after every read of a seekable file, and in an MP3 that loses what the next block needs of
    the one before: half of the sound is then missing.
    """

    def seekable(self) -> bool:
        """Never."""
        return False


def read_frames(path: Path, tell: Callable[[Flaw], None] | None = None) -> Iterator[Samples]:
    """Frames of `FRAME_SAMPLES` float32 samples in [-1, 1] at 16 kHz; the last one is filled up with silence.

    The file is opened now and read as the frames are taken, so memory does not grow with its length. Channels
    are averaged. A file that ends early is read as far as it goes, and samples that are not numbers become
    silence; `tell` is called with each such flaw when it is found. Raises `AudioFileError` at once when the
    file is missing, empty, unreadable or not sound.
    """
    return _frames(path, _open(path), tell or _ignore)


def write_sound(
    path: Path, pieces: Iterable[Samples], rate: int, *, synthetic: str = "", mark: Watermark | None = None
) -> int:
    """Write mono float32 pieces in [-1, 1] as WAV, FLAC, Ogg Vorbis or MP3, by how the name of `path` ends.

    Gives the number of samples. The pieces are written as they come, and the file appears whole or not at
    all. With `synthetic`, the voice that speaks, the file carries the words that `is_marked_synthetic` finds,
    and with `mark` an inaudible one in the sound itself.
    Raises `AudioFileError`.
    """
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise AudioFileError(f"{path} cannot be written: its name must end in {', '.join(_KINDS)}.")
    container, subtype = kind
    partial = path.with_name(f".{path.name}.part")
    n_samples = 0
    try:
        with sf.SoundFile(partial, "w", rate, 1, subtype, format=container) as file:
            if synthetic:
                file.comment = f"{_SYNTHETIC}; Voice={synthetic}"
                file.software = "Utter"
            for piece in pieces if mark is None else mark.marked(pieces, rate):
                file.write(piece)
                n_samples += len(piece)
        partial.replace(path)
    except (OSError, sf.LibsndfileError) as error:
        raise AudioFileError(
            f"{path} could not be written ({error}). Choose a folder that exists and has room."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return n_samples


def is_marked_synthetic(path: Path) -> bool:
    """Whether a sound file says of itself that its speech was made by a machine. Raises `AudioFileError`."""
    with _open(path) as file:
        return _SYNTHETIC in file.comment


def _open(path: Path) -> sf.SoundFile:
    if path.is_dir():
        raise AudioFileError(f"{path} is a folder, not a sound file. Name one file in it.")
    if not path.exists():
        raise AudioFileError(f"There is no file {path}. Check the path.")
    if not path.is_file():
        raise AudioFileError(f"{path} is not a regular file. Save the sound to a file first.")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        raise AudioFileError(f"{path} cannot be opened ({error.strerror}). Check its permissions.") from error
    if not first:
        raise AudioFileError(f"{path} is empty: it has not a single byte. Record it again.")
    try:
        file = _Sequential(path)
    except sf.LibsndfileError as error:
        raise AudioFileError(
            f"{path} is not a sound file that can be read, or it is damaged from its start. "
            "WAV, FLAC, Ogg, Opus, MP3 and AIFF can be read."
        ) from error
    problem = _problem(file)
    if problem:
        file.close()
        raise AudioFileError(f"{path} {problem}")
    return file


def _problem(file: sf.SoundFile) -> str:
    if file.channels > MAX_CHANNELS:
        return f"has {file.channels} channels; at most {MAX_CHANNELS} can be read. Mix it down first."
    if not RATES[0] <= file.samplerate <= RATES[1]:
        return f"has {file.samplerate} samples a second; {RATES[0]} to {RATES[1]} can be read."
    if file.frames == 0:
        return "has a header but no sound in it. Record it again."
    return ""


def _frames(path: Path, file: sf.SoundFile, tell: Callable[[Flaw], None]) -> Iterator[Samples]:
    waiting = np.zeros(0, np.float32)
    for block in _resampled(path, file, tell):
        waiting = np.concatenate([waiting, block])
        whole = len(waiting) // FRAME_SAMPLES * FRAME_SAMPLES
        yield from waiting[:whole].reshape(-1, FRAME_SAMPLES)
        waiting = waiting[whole:]
    if len(waiting):
        yield np.pad(waiting, (0, FRAME_SAMPLES - len(waiting)))


def _resampled(path: Path, file: sf.SoundFile, tell: Callable[[Flaw], None]) -> Iterator[Samples]:
    rate = file.samplerate
    stream = soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
    for block in _blocks(path, file, tell):
        yield np.clip(block if rate == SAMPLE_RATE else stream.resample_chunk(block), -1.0, 1.0)
    if rate != SAMPLE_RATE:
        rest = stream.resample_chunk(np.zeros(0, np.float32), last=True)
        yield np.clip(rest, -1.0, 1.0)


def _blocks(path: Path, file: sf.SoundFile, tell: Callable[[Flaw], None]) -> Iterator[Samples]:
    """Mono blocks at the file's own rate, every sample finite."""
    read = 0
    not_numbers = False
    with file:
        promised = _promised_samples(path, file)
        while True:
            try:
                block = file.read(_BLOCK_SAMPLES, dtype="float32", always_2d=True)
            except sf.LibsndfileError:
                break
            if not len(block):
                break
            read += len(block)
            if not np.isfinite(block).all():
                block = np.nan_to_num(block, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
                if not not_numbers:
                    tell(
                        Flaw(path, f"{path} holds samples that are not numbers; they were taken as silence.")
                    )
                not_numbers = True
            yield block.mean(axis=1)
    if read == 0:
        raise AudioFileError(f"{path} is damaged: no sound could be read from it. Record it again.")
    if read < promised - _BLOCK_SAMPLES // 2:
        there_s, promised_s = read / file.samplerate, promised / file.samplerate
        tell(
            Flaw(
                path,
                f"{path} is cut off: its header promises {promised_s:.1f} s of sound; "
                f"the {there_s:.1f} s that are there were read.",
            )
        )


def _promised_samples(path: Path, file: sf.SoundFile) -> int:
    """Samples per channel that the header promises; for WAV libsndfile tells only what is there."""
    if file.format not in ("WAV", "WAVEX"):
        return file.frames
    with path.open("rb") as raw:
        raw.seek(12)
        while len(header := raw.read(8)) == 8:
            size = int.from_bytes(header[4:], "little")
            if header[:4] == b"data":
                # A recorder that could not go back to fill in the size leaves 0 or the largest number.
                known = 0 < size < 0x7FFF_F000
                bytes_there = path.stat().st_size - raw.tell()
                return (
                    round(file.frames * size / bytes_there) if known and size > bytes_there else file.frames
                )
            raw.seek(size + size % 2, os.SEEK_CUR)
    return file.frames


def _ignore(_: Flaw) -> None:
    """For callers that do not want to be told."""
