"""Checks grammars before an engine sees them."""

from __future__ import annotations

import llguidance

from agent.decode.calls import Constraint, grammars_of
from agent.engine.protocol import EngineError


def check_grammar(constraint: Constraint) -> None:
    """Raises `EngineError` unless all grammars in `constraint` are right in llguidance's Lark syntax."""
    for lark in grammars_of(constraint):
        if problem := llguidance.LLMatcher.validate_grammar(lark):
            raise EngineError(f"The grammar for the model's next words is faulty:\n{problem}")
