"""`utter ask`: the same assistant, typed."""

from __future__ import annotations

import asyncio
import sys
import time
from contextlib import aclosing
from pathlib import Path
from typing import Annotated

import typer

from agent.events import ApprovalNeeded, EndReason, Event, TurnEnded
from agent.permissions.approval import Answer, Approve, Approved, Refused
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
    yes: Annotated[bool, typer.Option("--yes", help="Allow whatever would be asked about.")] = False,
) -> None:
    """Carry out TEXT on a project and print what would be said.

    What needs your word is asked about in a terminal; elsewhere the answer is no, unless --yes is given.
    """
    raise typer.Exit(0 if asyncio.run(_ask(of(context), text, repo, yes=yes)) else 1)


def _approve(made: Context, *, yes: bool) -> Approve:
    async def approve(needed: ApprovalNeeded) -> Answer:
        made.console.print(f"may I: {needed.action}\n    {needed.reason}", markup=False)
        if yes:
            return Approved()
        if not sys.stdin.isatty():
            return Refused("That needs your word first: ask again with --yes.")
        said = await asyncio.to_thread(typer.confirm, "Shall I?", default=False)
        return Approved() if said else Refused("You said no.")

    return approve


async def _ask(made: Context, text: str, repo: Path, *, yes: bool) -> bool:
    display = Display(made.console)
    began_s = time.perf_counter()

    def tell(moment: Moment) -> None:
        display.tell(Stamped(time.perf_counter() - began_s, moment))

    answered = False
    script = Script()
    heard: list[Event] = []
    workspace = Workspace(repo)
    async with (
        open_agent(made.settings, made.store, workspace, _approve(made, yes=yes)) as agent,
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
