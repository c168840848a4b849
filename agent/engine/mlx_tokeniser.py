"""The tokeniser of a model folder in Hugging Face's layout: `tokenizer.json` and the files beside it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from agent.engine.content import compile_names, cut_names
from agent.engine.protocol import EngineError
from agent.engine.vocabulary import BYTE, CONTROL, NORMAL, USER_DEFINED, Vocabulary


@dataclass(frozen=True)
class MlxTokeniser:
    """`eos_tokens` are all the ids that end a turn, from the tokeniser's and the model's configuration."""

    tokeniser: Tokenizer
    vocabulary: Vocabulary
    eos_tokens: frozenset[int]

    def encode(self, text: str, *, special: bool) -> list[int]:
        """See `Engine.encode`."""
        parts = [text] if special else cut_names(text, compile_names(self.vocabulary.special_names))
        return [
            token for part in parts for token in self.tokeniser.encode(part, add_special_tokens=False).ids
        ]


def load_tokeniser(folder: Path) -> MlxTokeniser:
    """Raises `EngineError` when a file is missing or cannot be understood."""
    try:
        settings: dict[str, Any] = _json(folder / "tokenizer_config.json")
        source = (folder / "tokenizer.json").read_text(encoding="utf-8")
        described: dict[str, Any] = json.loads(source)
        tokeniser = Tokenizer.from_str(source)
        vocabulary = _vocabulary(tokeniser, described, _chat_template(folder, settings), settings)
        eos_tokens = _eos_tokens(folder, tokeniser, vocabulary.eos_token)
    except Exception as error:  # `tokenizers` raises bare exceptions
        raise EngineError(
            f"The tokeniser in {folder} cannot be read ({error}). Remove the model and fetch it again."
        ) from error
    return MlxTokeniser(tokeniser, vocabulary, eos_tokens)


def _vocabulary(
    tokeniser: Tokenizer, described: dict[str, Any], chat_template: str, settings: dict[str, Any]
) -> Vocabulary:
    added = {
        entry["id"]: CONTROL if entry["special"] else USER_DEFINED for entry in described["added_tokens"]
    }
    byte_level = '"ByteLevel"' in json.dumps(described["decoder"])
    names = {token: name for name, token in tokeniser.get_vocab(with_added_tokens=True).items()}
    texts = tuple(names.get(token, "").encode() for token in range(max(names) + 1))
    types = tuple(
        added.get(token, BYTE if not byte_level and text.startswith(b"<0x") else NORMAL)
        for token, text in enumerate(texts)
    )
    return Vocabulary(
        kind="gpt2" if byte_level else "llama",
        texts=texts,
        types=types,
        chat_template=chat_template,
        bos_token=_name(settings.get("bos_token")),
        eos_token=_name(settings.get("eos_token")),
    )


def _chat_template(folder: Path, settings: dict[str, Any]) -> str:
    separate, older = folder / "chat_template.jinja", folder / "chat_template.json"
    if separate.exists():
        return separate.read_text(encoding="utf-8")
    template = (_json(older) if older.exists() else settings).get("chat_template")
    if template is None:
        raise ValueError("it has no chat template, so the model was not made to converse")
    if isinstance(template, list):  # several, by name
        template = next(entry["template"] for entry in template if entry["name"] == "default")
    return template


def _eos_tokens(folder: Path, tokeniser: Tokenizer, eos_token: str) -> frozenset[int]:
    tokens = {tokeniser.token_to_id(eos_token)} if eos_token else set[int]()
    for path in (folder / "config.json", folder / "generation_config.json"):
        settings = _json(path) if path.exists() else {}
        # A model that also sees or hears keeps those of its text model apart.
        for part in (settings, settings.get("text_config") or {}):
            listed = part.get("eos_token_id")
            tokens |= set(listed) if isinstance(listed, list) else {listed}
    return frozenset(token for token in tokens if token is not None)


def _name(token: Any) -> str:
    """A special token is given by its name, by a description of it, or not at all."""
    return (token["content"] if isinstance(token, dict) else token) or ""


def _json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))
