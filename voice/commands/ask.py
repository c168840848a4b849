"""`utter ask`: the same assistant, typed."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from agent.events import EndReason, Event, TurnEnded
from agent.workspace import Workspace
from voice.app import open_agent
from voice.commands.context import Context, of
from voice.conversation.turns import AgentEvent, Moment, Replied, Saying, Stamped, written_reply
from voice.display import Display
from voice.speaking.script import Script


def ask(
    context: typer.Context,
    text: Annotated[str, typer.Argument(help="The request, as you would say it.")],
    repo: Annotated[Path, typer.Option(help="The project to work on.")] = Path(),
) -> None:
    """Carry out TEXT on a project and print what would be said."""
    raise typer.Exit(0 if asyncio.run(_ask(of(context), text, repo)) else 1)


async def _ask(made: Context, text: str, repo: Path) -> bool:
    display = Display(made.console)
    began_s = time.perf_counter()

    def tell(moment: Moment) -> None:
        display.tell(Stamped(time.perf_counter() - began_s, moment))

    answered = False
    script = Script()
    heard: list[Event] = []
    workspace = Workspace(repo)
    async with (
        open_agent(made.settings, made.store, workspace) as agent,
        aclosing(agent.turn(text)) as events,
    ):
        async for event in events:
            heard.append(event)
            tell(AgentEvent(event))
            for clause in script.feed(event):
                tell(Saying(clause))
            if isinstance(event, TurnEnded):
                answered = event.reason is EndReason.ANSWERED
        for clause in script.finish():
            tell(Saying(clause))
        tell(Replied(written_reply(heard)))
    return answered
