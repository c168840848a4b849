"""Models whose weights only a model hub hands out: what they are, their terms, and how they are fetched.

Nothing of them is in the manifest, since no package index carries them. They lie in the hub's own cache,
where the engines that read them look. Run as a program, it downloads one repository.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from agent.errors import UtterError

_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")  # what keeps a session from the network


class HubError(UtterError):
    """Weights of a hub are not here, could not be fetched, or their terms were not agreed to."""


@dataclass(frozen=True)
class Repository:
    """`name` is owner/name; of its files those like `only` (all where it is empty), but not `left_out`."""

    name: str
    only: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class HubModel:
    """`repositories`: the one that an engine opens first, then those that its code reads beside it.

    `terms` is the sentence that a person must agree to before anything is fetched; "" where none is asked.
    """

    name: str
    use: str
    licence: str
    repositories: tuple[Repository, ...]
    terms: str = ""


# Repositories and what is left out of them: .models.json of coqui-tts 0.28, and the sources of mlx-audio 0.6.
_MODELS = (
    HubModel(
        "xtts-v2",
        "cloned voices in 17 languages, engine coqui",
        "CPML (non-commercial)",
        (Repository("tts-hub/XTTS-v2", left_out=("samples/*", "dvae.pth")),),
        "XTTS-v2 is under the Coqui Public Model License, https://tts-hub.github.io/cpml. Neither the model "
        "nor what it says may be used for a commercial purpose.",
    ),
    HubModel(
        "qwen3-tts",
        "cloned voices in ten languages, engine mlx",
        "Apache-2.0",
        (Repository("mlx-community/Qwen3-TTS-12Hz-0.6B-Base-bf16"),),
    ),
    HubModel(
        "chatterbox",
        "cloned voices in English, engine mlx",
        "MIT",
        (
            Repository("mlx-community/chatterbox-fp16"),
            Repository("mlx-community/S3TokenizerV2", ("model.safetensors", "config.json")),
        ),
    ),
    HubModel(
        "csm",
        "cloned voices in English, engine mlx",
        "Apache-2.0 (CSM), CC-BY-4.0 (Mimi), Llama 3.2 Community License (text tokenizer)",
        (
            Repository("mlx-community/csm-1b"),
            Repository("kyutai/moshiko-pytorch-bf16", ("tokenizer-*.safetensors",)),
            Repository("unsloth/Llama-3.2-1B", ("config.json", "tokenizer*", "special_tokens_map.json")),
        ),
    ),
)
HUB_MODELS = {model.name: model for model in _MODELS}


def hub_folder(name: str) -> Path:
    """Where the weights of a hub model lie; does not touch the network. Raises `HubError`."""
    from huggingface_hub import snapshot_download

    if name not in HUB_MODELS:
        raise HubError(f"There is no model {name!r} of a hub. There are: {', '.join(HUB_MODELS)}.")
    model = HUB_MODELS[name]
    try:
        folders = [
            Path(
                snapshot_download(
                    repository.name,
                    allow_patterns=list(repository.only) or None,
                    ignore_patterns=list(repository.left_out) or None,
                    local_files_only=True,
                )
            )
            for repository in model.repositories
        ]
    except (OSError, ValueError) as error:
        raise HubError(
            f"The weights of {name} ({model.use}) are not on this machine. "
            f"Fetch them with `utter models fetch {name}`."
        ) from error
    return folders[0]


def fetch_hub(name: str, *, agreed: bool) -> Path:
    """Download a hub model, in a process of its own since this one may not reach the network.

    A download that was broken off goes on where it was. Gives its folder. Raises `HubError`, too when there
    are terms and they were not `agreed` to.
    """
    model = HUB_MODELS[name]
    if model.terms and not agreed:
        raise HubError(f"{model.terms} {name} is not fetched, since you did not agree to that.")
    environment = {key: value for key, value in os.environ.items() if key not in _OFFLINE}
    for repository in model.repositories:
        command = [sys.executable, "-m", "agent.models.hub", repository.name]
        command += [",".join(repository.only), ",".join(repository.left_out)]
        asked = subprocess.run(
            command,
            cwd=Path(__file__).parents[
                2
            ],  # not the user's folder: `-m` would import an agent package from there
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if asked.returncode:
            why = (asked.stderr.strip().splitlines() or ["no reason was given"])[-1]
            raise HubError(
                f"{repository.name} could not be fetched ({why}). Run it again with the network on; what is "
                "already downloaded is kept. Where the publisher asks for an account, "
                "log in first with `hf auth login`."
            )
    return hub_folder(name)


def main() -> None:
    """Download a repository: its name, then patterns of files to take and to leave out, with commas."""
    from huggingface_hub import snapshot_download

    name, only, left_out = sys.argv[1:4]
    snapshot_download(name, allow_patterns=_listed(only), ignore_patterns=_listed(left_out))


def _listed(patterns: str) -> list[str] | None:
    return patterns.split(",") if patterns else None


if __name__ == "__main__":
    main()
