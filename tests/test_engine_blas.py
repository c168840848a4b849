"""The fast BLAS is loaded before MLX, in the app and in these tests; all is far slower without."""

from __future__ import annotations

import subprocess
import sys

from agent.engine.blas import interpose_openblas


def test_what_the_app_is_made_of_does_not_load_mlx_before_its_blas() -> None:
    program = "import sys, voice.cli, voice.app; sys.exit('mlx.core' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_no_test_file_loads_mlx_before_its_blas() -> None:
    assert "already loaded" not in interpose_openblas().reason
