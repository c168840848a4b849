"""Splits a Piper voice where its latent frames become sound, so that the first can sound before the last.

Piper is VITS (Kim, Kong and Son, "Conditional variational autoencoder with adversarial learning for
end-to-end text-to-speech", ICML 2021): what leads from text to latent frames needs all of a sentence, but the
decoder of HiFi-GAN, which takes most of the time, sees only a few frames to either side.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from agent.models.onnx_graph import Graph
from agent.models.tensor_file import Progress

_DECODER = "/dec/conv_pre/Conv"


def convert_piper(source: Path, target: Path, progress: Progress) -> None:
    """Write text.onnx, audio.onnx and voice.json into `target` from a voice of one speaker.

    `source` is its .onnx file, the .onnx.json beside it. Raises ValueError for another kind of voice.
    """
    graph = Graph(source)
    found = [node for node in graph.nodes if node.name == _DECODER]
    if len(found) != 1:
        raise ValueError(f"{source} is not a Piper voice that can be split")
    latent = found[0].input[0]
    graph.save(target / "text.onnx", outputs=[latent])
    graph.save(target / "audio.onnx", inputs=[latent])
    size = source.stat().st_size
    progress(size, size)
    shutil.copyfile(source.with_name(f"{source.name}.json"), target / "voice.json")
