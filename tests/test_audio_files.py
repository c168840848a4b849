"""Sound files of every kind and every damage, in; WAV and FLAC, out."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from voice.audio.files import AudioFileError, Flaw, is_marked_synthetic, read_frames, write_sound
from voice.audio.frames import FRAME_SAMPLES, SAMPLE_RATE


def tone(rate: int, length_s: float = 1.0, channels: int = 1) -> np.ndarray:
    """440 Hz at amplitude 0.5 in every channel."""
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(int(rate * length_s)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def read(path: Path) -> tuple[np.ndarray, list[Flaw]]:
    flaws: list[Flaw] = []
    frames = list(read_frames(path, flaws.append))
    assert all(frame.shape == (FRAME_SAMPLES,) and frame.dtype == np.float32 for frame in frames)
    return np.concatenate(frames), flaws


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("plain.wav", 16_000, 1, "PCM_16"),
        ("stereo.wav", 44_100, 2, "PCM_16"),
        ("telephone.wav", 8_000, 1, "ULAW"),
        ("studio.wav", 96_000, 2, "PCM_24"),
        ("float.wav", 48_000, 1, "FLOAT"),
        ("lossless.flac", 22_050, 1, "PCM_24"),
        ("lossy.ogg", 48_000, 2, "VORBIS"),
        ("lossy.mp3", 44_100, 1, "MPEG_LAYER_III"),
    ],
)
def test_every_format_becomes_the_same_tone_at_16_khz(
    tmp_path: Path, name: str, rate: int, channels: int, subtype: str
):
    sf.write(tmp_path / name, tone(rate, 1.0, channels), rate, subtype=subtype)
    samples, flaws = read(tmp_path / name)
    assert flaws == []
    assert abs(len(samples) - SAMPLE_RATE) <= SAMPLE_RATE // 10
    middle = samples[4000:12000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.03)
    loudest = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(8000)))) * SAMPLE_RATE / 8000
    assert loudest == pytest.approx(440, abs=3)


def test_the_last_frame_is_filled_up_with_silence(tmp_path: Path):
    write_sound(tmp_path / "short.wav", [np.full(FRAME_SAMPLES + 80, 0.5, np.float32)], SAMPLE_RATE)
    _, last = read_frames(tmp_path / "short.wav")
    assert last[:80] == pytest.approx(0.5, abs=1e-3)
    assert not last[80:].any()


@pytest.mark.parametrize("name", ["cut.wav", "cut.flac", "cut.mp3"])
def test_a_file_cut_off_is_read_as_far_as_it_goes_and_said_to_be_cut_off(tmp_path: Path, name: str):
    path = tmp_path / name
    noise = 0.1 * np.random.default_rng(0).standard_normal(SAMPLE_RATE * 4)
    sf.write(path, noise, SAMPLE_RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    samples, flaws = read(path)
    assert 1.4 * SAMPLE_RATE < len(samples) < 2.3 * SAMPLE_RATE
    assert [flaw.path for flaw in flaws] == [path]
    assert "cut off" in flaws[0].message
    assert "4.0 s" in flaws[0].message


def test_a_wav_written_to_a_pipe_promises_nothing_and_is_read_whole(tmp_path: Path):
    path = tmp_path / "streamed.wav"
    write_sound(path, [tone(SAMPLE_RATE)[:, 0]], SAMPLE_RATE)
    data = bytearray(path.read_bytes())
    data[4:8] = data[40:44] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    samples, flaws = read(path)
    assert (len(samples), flaws) == (SAMPLE_RATE, [])


def test_samples_that_are_not_numbers_become_silence_and_are_told_once(tmp_path: Path):
    wave = tone(SAMPLE_RATE, 2.0)[:, 0]
    wave[100], wave[20_000], wave[25_000] = np.nan, np.inf, 9.0
    sf.write(tmp_path / "broken.wav", wave, SAMPLE_RATE, subtype="FLOAT")
    samples, flaws = read(tmp_path / "broken.wav")
    assert (samples[100], samples[20_000], samples[25_000]) == (0.0, 0.0, 1.0)
    assert [("not numbers" in flaw.message) for flaw in flaws] == [True]


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("missing.wav", None, "There is no file"),
        ("empty.wav", b"", "is empty"),
        ("text.wav", b"this is not sound at all\n" * 40, "not a sound file"),
        ("header.wav", b"RIFF\x24\x00\x00\x00WAVE", "not a sound file"),
        ("text.mp3", b"neither is this\n" * 40, "not a sound file"),
    ],
)
def test_what_is_not_sound_is_refused_at_once_with_its_name(
    tmp_path: Path, name: str, data: bytes | None, says: str
):
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(AudioFileError, match=says) as refused:
        read_frames(path)
    assert str(path) in str(refused.value)


def test_a_header_without_sound_a_folder_too_many_channels_and_odd_rates_are_refused(tmp_path: Path):
    sf.write(tmp_path / "none.wav", np.zeros(0), SAMPLE_RATE)
    sf.write(tmp_path / "many.wav", np.zeros((100, 12)), SAMPLE_RATE)
    sf.write(tmp_path / "slow.wav", np.zeros(100), 10)
    for name, says in {
        "none.wav": "no sound",
        "many.wav": "12 channels",
        "slow.wav": "10 samples",
        ".": "folder",
    }.items():
        with pytest.raises(AudioFileError, match=says):
            read_frames(tmp_path / name)


def test_two_hours_are_read_in_bounded_memory(tmp_path: Path):
    path = tmp_path / "long.flac"
    with sf.SoundFile(path, "w", 8_000, 1, "PCM_16") as file:
        minute = np.zeros(8_000 * 60, np.int16)
        for _ in range(120):
            file.write(minute)
    tracemalloc.start()
    n_frames = sum(1 for _ in read_frames(path))
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_frames == pytest.approx(2 * 3600 * SAMPLE_RATE / FRAME_SAMPLES, abs=2)
    assert peak_bytes < 4 * 2**20


@pytest.mark.parametrize("name", ["out.wav", "out.flac"])
def test_pieces_are_written_in_order_and_read_back(tmp_path: Path, name: str):
    sound = tone(22_050)[:, 0]
    assert write_sound(tmp_path / name, iter([sound[:7], sound[7:]]), 22_050) == len(sound)
    back, rate = sf.read(tmp_path / name)
    assert rate == 22_050
    assert back == pytest.approx(sound, abs=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["out.wav", "out.flac", "out.ogg", "out.MP3"])
def test_speech_that_is_saved_says_that_a_machine_made_it(tmp_path: Path, name: str):
    sound = tone(22_050)[:, 0]
    write_sound(tmp_path / name, [sound], 22_050, synthetic="joe")
    assert is_marked_synthetic(tmp_path / name)
    assert len(sf.read(tmp_path / name)[0]) == pytest.approx(len(sound), rel=0.05)
    write_sound(tmp_path / name, [sound], 22_050)
    assert not is_marked_synthetic(tmp_path / name)


def test_a_kind_of_file_that_is_not_known_is_told(tmp_path: Path):
    with pytest.raises(AudioFileError, match=r"must end in \.wav, \.flac, \.ogg, \.mp3"):
        write_sound(tmp_path / "out.aac", [np.zeros(10, np.float32)], SAMPLE_RATE)


def test_a_file_that_cannot_be_written_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(AudioFileError, match=r"no/out\.wav could not be written"):
        write_sound(tmp_path / "no" / "out.wav", [np.zeros(10, np.float32)], SAMPLE_RATE)
