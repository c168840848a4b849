"""Minutes of a live session on virtual time: nothing grows with them. Hours are in `python -m bench soak`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bench.soak import Measure, growth, soak

# A block for each frame of 20 ms would be 6,000 in the two minutes that are compared.
MOST_BLOCKS = 1500


def test_a_live_session_does_not_grow(tmp_path: Path) -> None:
    measures, happened = soak(4.05 / 60, 60.0, tmp_path, cancels_echo=False)
    early, late = measures[1], measures[3]  # between them the devices were unplugged and came back
    assert (late.threads, late.files) == (early.threads, early.files)
    assert late.blocks - early.blocks < MOST_BLOCKS
    assert happened["Answered"] == 4 and happened["Told"] == 2  # unplugged, and back
    assert happened["CommandDone"] >= 12
    lines = (tmp_path / "session" / "transcript.jsonl").read_text().splitlines()
    assert len(lines) >= happened["Saying"] + happened["UtteranceHeard"]
    assert len((tmp_path / "session" / "trace.jsonl").read_text().splitlines()) >= 6
    assert (tmp_path / "project" / "config.py").read_text().startswith("loan_days = 4\n")


@pytest.mark.parametrize("leaking", ["memory", "threads", "files", "blocks"])
def test_what_grows_is_found(leaking: str) -> None:
    even = [Measure(3600.0 * hour, 100, 5, 14, 900) for hour in range(8)]
    assert growth(even)[leaking] == pytest.approx(0.0)
    grown = [replace(one, **{leaking: getattr(one, leaking) + 2 * hour}) for hour, one in enumerate(even)]
    assert growth(grown)[leaking] == pytest.approx(2.0)
