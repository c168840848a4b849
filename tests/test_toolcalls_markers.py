"""Control tokens that are part of a call are written into the reply by their names; others are not."""

from __future__ import annotations

import pytest

from agent.engine.vocabulary import CONTROL, NORMAL, USER_DEFINED, Vocabulary


@pytest.mark.parametrize(
    ("name", "kind", "written"),
    [
        ("[TOOL_CALLS]", CONTROL, b"[TOOL_CALLS]"),
        ("<|channel|>", CONTROL, b"<|channel|>"),
        ("<｜tool▁sep｜>", CONTROL, "<｜tool▁sep｜>".encode()),
        ("<tool_call>", USER_DEFINED, b"<tool_call>"),
        ("<|im_end|>", CONTROL, b""),
        ("<s>", CONTROL, b""),
        ("call", NORMAL, b"call"),
    ],
)
def test_what_a_token_adds_to_a_reply(name: str, kind: int, written: bytes) -> None:
    vocabulary = Vocabulary("gpt2", (name.encode(),), (kind,), "", "", "")
    assert vocabulary.written(0) == written
