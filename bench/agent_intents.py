"""How requests are told apart: by rules for their words, by the model's own choice, and by both."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from agent.code.index import CodeIndex
from agent.code.mentions import spelled
from agent.conversation import Conversation
from agent.engine.protocol import Engine
from agent.guided.routing import Route, route
from agent.guided.steps import Wants
from agent.template import ChatTemplate
from agent.toolcalls import grammar
from agent.toolcalls.prompt import system_prompt
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace
from bench.agent_requests import KNOWN, UNSEEN
from bench.agent_tasks import PROJECTS, STATE, TUNED, engine_of
from bench.report import machine, table, write_section

Request = tuple[str, str, str]
_WANTED = {
    Route.QUESTION: Wants.ANSWER.value,
    Route.EXPLAIN_FAILURE: Wants.ANSWER.value,
    Route.CHANGE: Wants.CHANGE.value,
    Route.FIX_TESTS: Wants.REPAIR.value,
    Route.UNCLEAR: "",
}


def by_rules(request: Request, indexes: Mapping[str, CodeIndex]) -> str:
    """What the rules say that a request is after; "" where they are not sure."""
    project, _, text = request
    return _WANTED[route(spelled(text, indexes[project]))]


async def by_model(requests: Sequence[Request], engine: Engine) -> list[str]:
    """What the model says of each, without any code before it."""
    tools = Toolbox(Workspace(PROJECTS / "python"), {})
    talk = Conversation(engine, await engine.restore(()), ChatTemplate(engine.chat_template))
    await talk.system(system_prompt(tools.registry))
    start = talk.mark()
    chosen: list[str] = []
    for _, _, text in requests:
        await talk.user(f"Request: {text}")
        await talk.open_reply()
        await talk.write("wants:")
        choice = grammar.choice([wants.value for wants in Wants])
        chosen.append("".join([piece.text async for piece in talk.generate(choice, (), 16)]).strip())
        await talk.rewind(start)
    return chosen


async def _measure() -> bool:
    indexes: dict[str, CodeIndex] = {}
    for project in ("python", "javascript", "go"):
        indexes[project] = CodeIndex(Workspace(PROJECTS / project))
        indexes[project].refresh()
    suite = [(task.project, _of_task(task.name, is_change=task.is_change), task.request) for task in TUNED]
    groups = {"made with the rules": [*KNOWN, *suite], "never seen": list(UNSEEN)}
    engine = engine_of("llamacpp", STATE)
    rows: list[list[str]] = []
    is_good = True
    try:
        for label, requests in groups.items():
            rules = [by_rules(request, indexes) for request in requests]
            model = await by_model(requests, engine)
            both = [rule or choice for rule, choice in zip(rules, model, strict=True)]
            wanted = [request[1] for request in requests]
            counts = [sum(map(str.__eq__, answers, wanted)) for answers in (rules, model, both)]
            unsure = rules.count("")
            rows.append(
                [f"{label} ({len(requests)})", f"{counts[0]}, {unsure} unsure", *map(str, counts[1:])]
            )
            is_good = is_good and counts[2] >= max(counts[:2])
    finally:
        await engine.close()
    headers = ["requests", "right by rules", "by the model", "by rules, then by the model"]
    head = (
        "`python -m bench agent_intents`: whether a spoken request wants an answer, a change or a repair: "
        "by rules for its words, by the choice of Qwen2.5-Coder-1.5B under a grammar of three words, and by "
        f"the model only where the rules are not sure, which is what the agent does. {machine()}"
    )
    write_section("agent-intents", "\n\n".join([head, table(headers, rows)]))
    return is_good


def _of_task(name: str, *, is_change: bool) -> str:
    if name.endswith(("-fix", "-broken")):
        return Wants.REPAIR.value
    return Wants.CHANGE.value if is_change else Wants.ANSWER.value


def main() -> bool:
    """Write the section; False where asking the model as well makes it worse."""
    STATE.mkdir(parents=True, exist_ok=True)
    return asyncio.run(_measure())
