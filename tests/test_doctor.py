"""`utter doctor` looks for all that `utter talk` loads."""

from __future__ import annotations

from pathlib import Path

from agent.models.store import ModelStore
from voice import config
from voice.doctor import examine


def test_every_model_that_a_conversation_loads_is_looked_for(tmp_path: Path) -> None:
    found = {finding.name: finding for finding in examine(config.load(), ModelStore(tmp_path))}
    for name in ("smart-turn", "piper-joe-split", "qwen2.5-coder-1.5b"):
        assert not found[f"Model {name}"].ok
        assert "utter models fetch" in found[f"Model {name}"].mend
