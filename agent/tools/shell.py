"""The tool that runs a command of the shell. Whether it may is decided before it comes here."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.facts import CommandRun
from agent.permissions import Action, Ask, Deny, Kind, decide
from agent.permissions.ground import DiskGround
from agent.sandbox import Rights, Sandbox
from agent.tools import arguments as given
from agent.tools import process
from agent.tools.files import fenced
from agent.tools.registry import Outcome, refused

_SHOWN_HEAD = 500
_SHOWN_TAIL = 900
_LINE_CHARS = 200


class ShellTools:
    """Handler of `run`. With a sandbox a command reaches the network only when it is known to need it."""

    def __init__(
        self, ground: DiskGround, environment: Mapping[str, str], time_limit_s: float, sandbox: Sandbox | None
    ) -> None:
        self._ground = ground
        self._environment = {**environment, "PAGER": "cat", "GIT_PAGER": "cat", "GIT_TERMINAL_PROMPT": "0"}
        self._time_limit_s = time_limit_s
        self._sandbox = sandbox

    async def run(self, arguments: Mapping[str, Any]) -> Outcome:
        """Run a command line to its end or to the time limit; nothing that it started stays."""
        command = given.text(arguments, "command").strip()
        decision = decide(Action(Kind.RUN, command=command), "", ground=self._ground)
        if isinstance(decision, Deny):
            return refused("run", decision.reason)
        asked = decision if isinstance(decision, Ask) else Ask("")
        has_word = isinstance(decision, Ask)
        rights = Rights(network=asked.network, repository=has_word, credentials=asked.credentials)
        # The shell whose grammar the decision was made by.
        shell = shutil.which("bash", path=self._environment.get("PATH"))
        if shell is None:
            return refused("run", "commands need bash, which is not installed")
        argv = [shell, "--noprofile", "--norc", "-c", command]
        done = await process.run(
            argv, Path(self._ground.root), self._environment, self._time_limit_s, self._sandbox, rights
        )
        lines = [line.rstrip() for line in done.output.splitlines() if line.strip()]
        last = lines[-1][:_LINE_CHARS] if lines else ""
        fact = CommandRun(command, done.returncode, len(lines), last, done.timed_out, done.left_behind)
        return Outcome(done.returncode == 0 and not done.timed_out, self._told(done), (fact,))

    def _told(self, done: process.Finished) -> str:
        head = (
            f"stopped after {self._time_limit_s:.0f} seconds"
            if done.timed_out
            else f"exit status {done.returncode}"
        )
        if done.left_behind:
            head += f"; ended what it had left running: {', '.join(done.left_behind[:3])}"
        return f"{head}\n{fenced(_shortened(done.output.strip()))}" if done.output.strip() else head


def _shortened(text: str) -> str:
    if len(text) <= _SHOWN_HEAD + _SHOWN_TAIL:
        return text
    left_out = len(text) - _SHOWN_HEAD - _SHOWN_TAIL
    return f"{text[:_SHOWN_HEAD]}\n[{left_out} characters left out]\n{text[-_SHOWN_TAIL:]}"
