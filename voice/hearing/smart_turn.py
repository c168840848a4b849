"""Whether a speaker has finished, judged by the sound of the last words: Smart Turn v3 on onnxruntime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime as ort
from mlx_whisper import audio as mlx_whisper_audio

from agent.errors import UtterError
from voice.audio.frames import SAMPLE_RATE, Samples
from voice.hearing.whisper.mel import log_mel
