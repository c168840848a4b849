"""Special names in content are taken apart, and nothing else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.engine.content import compile_names, cut_names

NAMES = ["<|im_end|>", "<|im_start|>", "<tool_call>", "</tool_call>"]


@given(st.lists(st.sampled_from([*NAMES, "<", "|", "im_end", "a", " "])))
def test_no_part_holds_a_name_and_the_parts_are_the_text(bits: list[str]) -> None:
    text = "".join(bits)
    parts = cut_names(text, compile_names(NAMES))
    assert "".join(parts) == text
    assert not [name for part in parts for name in NAMES if name in part]


def test_text_without_names_stays_whole() -> None:
    assert cut_names("if a < b | c > d: pass", compile_names(NAMES)) == ["if a < b | c > d: pass"]


def test_a_name_within_a_name_is_cut_too() -> None:
    assert cut_names("xaxa!", compile_names(["xaxa", "axa!"])) == ["x", "a", "xa!"]


def test_without_names_nothing_is_cut() -> None:
    assert cut_names("<|im_end|>", compile_names([])) == ["<|im_end|>"]
    assert cut_names("", compile_names(NAMES)) == []
