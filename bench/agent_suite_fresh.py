"""Tasks that the agent was never tuned on."""

from __future__ import annotations

from bench.agent_checks import Task

FRESH: tuple[Task, ...] = ()
