"""The audio format that hearing works on: 16 kHz mono float32 in [-1, 1], in frames of 20 ms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.float32]

SAMPLE_RATE = 16_000  # Hz
FRAME_SAMPLES = 320  # 20 ms; webrtcvad takes 10, 20 or 30 ms
