"""Checks grammars before an engine sees them."""

from __future__ import annotations

import llguidance

from agent.engine.protocol import EngineError


def check_grammar(lark: str) -> None:
    """Raises `EngineError` unless `lark` is a grammar in llguidance's Lark syntax."""
    problem = llguidance.LLMatcher.validate_grammar(lark)
    if problem:
        raise EngineError(f"The grammar for the model's next words is faulty:\n{problem}")
