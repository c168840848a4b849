"""Records a session in true time: the user on the left, Utter on the right, as 16-bit stereo WAV."""

from __future__ import annotations

import struct
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np
import soxr

from agent.errors import UtterError
from voice.audio.frames import SAMPLE_RATE, Samples

_HEADER_BYTES = 44
_FRAME_BYTES = 4  # two channels of 16 bits
_MAX_FRAMES = (2**32 - 1 - _HEADER_BYTES) // _FRAME_BYTES  # what a RIFF header can tell: 12 h at 24 kHz
_BLOCK_FRAMES = 65_536
_LEFT, _RIGHT = 0, 1


class Timeline:
    """A WAV file that each piece is written into at its place, at once: a crash loses nothing said before it.

    Memory does not grow with the session; stretches in which nobody speaks stay holes in the file where the
    file system can. Pieces that overlap on one side are mixed. What lies beyond 4 GiB is not recorded.
    """

    def __init__(self, path: Path, voice_rate: int, user_rate: int = SAMPLE_RATE) -> None:
        """The file is at `voice_rate` Hz. Raises `UtterError` when it cannot be written."""
        self.sample_rate = voice_rate
        try:
            self._file: BinaryIO = path.open("w+b")
        except OSError as error:
            raise UtterError(
                f"The recording {path} cannot be written: {error.strerror}. Choose another folder for it."
            ) from error
        self._frames = 0
        self._user = _Placed(user_rate, voice_rate)
        self._write_header()

    def user(self, start: int, samples: Samples) -> None:
        """What the user said from sample `start` of the session, counted at `user_rate`; mono float32."""
        for position, piece in self._user.place(start, samples):
            self._mix(_LEFT, position, piece)

    def utter(self, start: int, samples: Samples) -> None:
        """What Utter said from sample `start` of the session, counted at `voice_rate`; mono float32."""
        self._mix(_RIGHT, start, samples)

    def close(self) -> None:
        """Write what the resampler still holds, and finish the file."""
        if not self._file.closed:
            for position, piece in self._user.flush():
                self._mix(_LEFT, position, piece)
            self._file.close()

    def __enter__(self) -> Timeline:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _mix(self, channel: int, start: int, samples: Samples) -> None:
        samples = samples[: max(0, _MAX_FRAMES - start)]
        for offset in range(0, len(samples), _BLOCK_FRAMES):
            self._mix_block(channel, start + offset, samples[offset : offset + _BLOCK_FRAMES])
        if start + len(samples) > self._frames:
            self._frames = start + len(samples)
            self._write_header()
        self._file.flush()

    def _mix_block(self, channel: int, start: int, samples: Samples) -> None:
        place = _HEADER_BYTES + start * _FRAME_BYTES
        self._file.seek(place)
        old = self._file.read(len(samples) * _FRAME_BYTES)
        frames = np.zeros((len(samples), 2), "<i2")
        frames.reshape(-1).view(np.uint8)[: len(old)] = np.frombuffer(old, np.uint8)
        mixed = frames[:, channel] + np.round(samples.astype(np.float64) * 32767)
        frames[:, channel] = np.clip(mixed, -32768, 32767)
        self._file.seek(place)
        self._file.write(frames.tobytes())

    def _write_header(self) -> None:
        # Canonical PCM header: "Multimedia Programming Interface and Data Specifications 1.0", IBM/Microsoft.
        n_bytes = self._frames * _FRAME_BYTES
        self._file.seek(0)
        self._file.write(struct.pack("<4sI4s", b"RIFF", 36 + n_bytes, b"WAVE"))
        byte_rate = self.sample_rate * _FRAME_BYTES
        self._file.write(
            struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 2, self.sample_rate, byte_rate, _FRAME_BYTES, 16)
        )
        self._file.write(struct.pack("<4sI", b"data", n_bytes))


class _Placed:
    """Resamples pieces, those that follow on one another as one stream so that no border is heard."""

    def __init__(self, rate_in: int, rate_out: int) -> None:
        self._rates = (rate_in, rate_out)
        self._resampler: soxr.ResampleStream | None = None
        self._expected = 0  # where a piece must start to follow on, at the rate in
        self._position = 0  # where the next sample goes, at the rate out

    def place(self, start: int, samples: Samples) -> list[tuple[int, Samples]]:
        placed: list[tuple[int, Samples]] = []
        if self._resampler is None or start != self._expected:
            placed += self.flush()
            rate_in, rate_out = self._rates
            self._resampler = soxr.ResampleStream(rate_in, rate_out, 1, "float32")
            self._position = round(start * rate_out / rate_in)
        self._expected = start + len(samples)
        return placed + self._run(self._resampler, samples, last=False)

    def flush(self) -> list[tuple[int, Samples]]:
        resampler, self._resampler = self._resampler, None
        return self._run(resampler, np.zeros(0, np.float32), last=True) if resampler else []

    def _run(
        self, resampler: soxr.ResampleStream, samples: Samples, *, last: bool
    ) -> list[tuple[int, Samples]]:
        out = resampler.resample_chunk(samples.astype(np.float32, copy=False), last)
        position, self._position = self._position, self._position + len(out)
        return [(position, out)] if len(out) else []
