"""kill -9 at any point of a save: nothing wrong is read afterwards and nothing older is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_a_storm_of_kills_makes_no_wrong_read_and_loses_no_older_entry(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.storm", str(tmp_path), "100"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    outcome = json.loads(done.stdout)
    assert (outcome["kills"], outcome["wrong_reads"], outcome["lost"]) == (100, 0, 0)
    assert outcome["saved"] > 50
    assert outcome["torn"] > 5
