"""How good the agent is: spoken requests on three sample projects, with the real model, judged by the result.

`python -m bench.agent_tasks --rows FILE [--engine mlx] [--part 1/4] [NAME …]` runs some of them and adds what
came of them to a file; `--report` writes the section from it. `python -m bench agent_tasks` does all at once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

import platformdirs

from agent import sandbox
from agent.engine.llamacpp import LlamaCppEngine
from agent.engine.mlx import MlxEngine
from agent.engine.protocol import Engine
from agent.events import EndReason, Event, TextDelta, ToolCallReady, ToolResult, TurnEnded, Usage
from agent.facts import Fact, FileEdited, Refused, TestsRun
from agent.loop import Agent
from agent.template import ChatTemplate
from agent.tools.process import project_environment
from agent.tools.toolbox import Toolbox
from agent.workspace import Workspace
from bench.agent_checks import Result, Task, files_of
from bench.agent_suite import FIRST
from bench.agent_suite_fresh import FRESH
from bench.agent_suite_more import MORE
from bench.report import machine, table, write_section
from voice import config
from voice.commands.context import store_of
from voice.hearing.repository_names import RepositoryNames
from voice.hearing.spoken_code import write_out
from voice.speaking.narrate import narrate

PROJECTS = Path(__file__).parent / "projects"
STATE = Path(platformdirs.user_cache_dir("utter")) / "bench"
MODELS = {"llamacpp": "qwen2.5-coder-1.5b", "mlx": "qwen2.5-coder-0.5b-mlx"}
TUNED = (*FIRST, *MORE)
ALL = (*TUNED, *FRESH)
WANTED_SOLVED, WANTED_FRESH, WANTED_MEDIAN_S, WANTED_MOST_S = 0.85, 0.80, 8.0, 60.0
IDENTITY = {"user.name": "a", "user.email": "a@example.org"}
# Words that claim a change; whoever says them must have made one.
_CLAIM = re.compile(
    r"\b(i have|i've|i) (now )?(added|changed|fixed|updated|renamed|removed|set|created|committed)\b"
)
# Words that say how the tests went, coarser than the agent's own; whoever says them must have run them.
_OF_TESTS = re.compile(
    r"\b(?:tests?|suite)\b[^.?!]*?\b(?P<good>pass(?:es|ed|ing)?|green|succeed(?:ed|s)?)\b"
    r"|\b(?:tests?|suite)\b[^.?!]*?\b(?:fail(?:s|ed|ing)?|broken|red)\b|\bfailing tests?\b"
)
_NO_CLAIM = re.compile(r"\b(?:if|unless|when|whether|would|will|should|could|can|must|to (?:pass|fail))\b")


@dataclass(frozen=True)
class Row:
    """What came of one task."""

    name: str
    engine: str
    solved: bool
    is_false_claim: bool
    steps: int
    tokens: int
    seconds: float
    ended: str
    answer: str


async def carried_out(task: Task, engine: Engine, name: str) -> Row:
    """One task on a fresh copy of its project, by an agent without a past."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / task.project
        shutil.copytree(PROJECTS / task.project, root, ignore=shutil.ignore_patterns("__pycache__"))
        for path, old, new in task.setup:
            text = (root / path).read_text("utf-8")
            assert text.count(old) == 1, f"{task.name}: {old}"
            (root / path).write_text(text.replace(old, new), "utf-8")
        await asyncio.to_thread(_commit, root)
        before = files_of(root)
        environment = project_environment(os.environ, Path(sys.prefix))
        found = sandbox.find(root.resolve(), STATE / "sandbox", Path.home(), os.environ.get("PATH"))
        toolbox = Toolbox(Workspace(root), environment, sandbox=found.sandbox)
        agent = Agent(engine, ChatTemplate(engine.chat_template), toolbox)
        await agent.warm()
        request = write_out(task.request, RepositoryNames(toolbox.workspace).lexicon()).text
        started_s = time.monotonic()
        events: list[Event] = []
        async with aclosing(agent.turn(request)) as turn:
            async for event in turn:
                events.append(event)
        seconds = time.monotonic() - started_s
        return await _judged(task, name, root, before, events, seconds, toolbox)


def _commit(root: Path) -> None:
    named = [["config", key, value] for key, value in IDENTITY.items()]  # for the commits of the agent
    for command in (["init", "-q"], *named, ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", *command], cwd=root, check=True)


async def _judged(
    task: Task,
    engine: str,
    root: Path,
    before: dict[str, str],
    events: Sequence[Event],
    seconds: float,
    toolbox: Toolbox,
) -> Row:
    facts = tuple(fact for event in events if isinstance(event, ToolResult) for fact in event.summary_facts)
    said = "".join(event.text for event in events if isinstance(event, TextDelta))
    end = next(event for event in events if isinstance(event, TurnEnded))
    spoken = " ".join([said, *(clause for fact in facts for clause in narrate(fact)), end.detail])
    result = Result(root, before, spoken.lower(), facts)
    is_solved = task.check(result)
    calls = sum(isinstance(event, ToolCallReady) for event in events)
    return Row(
        task.name,
        engine,
        is_solved,
        await _is_false(result, said, facts, end, toolbox, is_change=task.is_change),
        calls + bool(said),
        sum(event.output_tokens for event in events if isinstance(event, Usage)),
        round(seconds, 2),
        end.reason.value,
        spoken.strip()[:300],
    )


async def _is_false(
    result: Result, said: str, facts: Sequence[Fact], end: TurnEnded, toolbox: Toolbox, *, is_change: bool
) -> bool:
    """Whether work was claimed that was not done: in words, in facts, or by ending well without a change."""
    changed = result.changed()
    if _CLAIM.search(said.lower()) and not changed:
        return True
    if any(isinstance(fact, FileEdited) and fact.path not in changed for fact in facts):
        return True
    runs = [fact for fact in facts if isinstance(fact, TestsRun)]
    if claims_of_tests(said, runs):
        return True
    if runs:
        now = toolbox.test_facts(await toolbox.test_report(time.monotonic()))
        if (now.passed, now.failed, now.errors) != (runs[-1].passed, runs[-1].failed, runs[-1].errors):
            return True
    is_told = bool(said) or any(isinstance(fact, Refused) for fact in facts)
    return is_change and end.reason is EndReason.ANSWERED and not changed and not is_told


def claims_of_tests(said: str, runs: Sequence[TestsRun]) -> bool:
    """Whether it is said how the tests went without a run of them, or otherwise than every run shows."""
    for sentence in re.split(r"(?<=[.?!])\s+", said.lower()):
        found = _OF_TESTS.search(sentence)
        if not found or _NO_CLAIM.search(sentence):
            continue
        is_denied = bool(re.search(r"\bnot?\b|n't\b|\bnone\b", sentence))
        is_good = bool(found["good"]) is not is_denied
        if not any(is_good is not bool(run.failed or run.errors) for run in runs):
            return True
    return False


def engine_of(name: str, state: Path, threads: int = 0) -> Engine:
    """The real model of that engine; on every core where `threads` says no other number."""
    path = store_of(config.load()).path(MODELS[name])
    if name == "mlx":
        return MlxEngine(path, state)
    return LlamaCppEngine(path, state, threads=threads or os.cpu_count() or 1)


async def run(tasks: Sequence[Task], name: str, rows: Path, threads: int = 0) -> None:
    """Carry out the tasks and add a line for each to `rows`."""
    STATE.mkdir(parents=True, exist_ok=True)
    engine = engine_of(name, STATE, threads)
    try:
        for task in tasks:
            row = await carried_out(task, engine, name)
            with rows.open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(asdict(row)) + "\n")
            mark = "solved" if row.solved else "MISSED"
            claim = " FALSE CLAIM" if row.is_false_claim else ""
            print(
                f"{row.seconds:6.1f} s {row.tokens:4} tokens {mark}{claim} {row.name}: {row.answer[:150]}",
                flush=True,
            )
    finally:
        await engine.close()


def report(rows: Path) -> bool:
    """Write the section; False when a wanted figure is missed. Of a task run twice the last counts."""
    latest: dict[tuple[str, str], Row] = {}
    for line in rows.read_text("utf-8").splitlines():
        row = Row(**json.loads(line))
        latest[row.engine, row.name] = row
    known = [task.name for task in ALL]
    lines: list[list[str]] = []
    is_good = True
    for engine in MODELS:
        for label, names in (("tuned on", TUNED), ("untouched", FRESH), ("all", ALL)):
            found = [latest[engine, task.name] for task in names if (engine, task.name) in latest]
            if found:
                lines.append([f"{MODELS[engine]}, {label}", *_figures(found)])
    ours = [latest["llamacpp", name] for name in known if ("llamacpp", name) in latest]
    fresh = [row for row in ours if row.name in {task.name for task in FRESH}]
    if ours and fresh:
        is_good = (
            _share(ours) >= WANTED_SOLVED
            and _share(fresh) >= WANTED_FRESH
            and not any(row.is_false_claim for row in ours)
            and statistics.median(row.seconds for row in ours) < WANTED_MEDIAN_S
            and max(row.seconds for row in ours) <= WANTED_MOST_S
        )
    headers = ["", "solved", "false claims", "steps", "tokens", "median s", "longest s"]
    missed = [row.name for row in ours if not row.solved]
    head = (
        f"`python -m bench agent_tasks`: {len(ALL)} spoken requests on copies of three small projects (in "
        "Python, JavaScript and Go, under bench/projects), each by an agent that knows nothing of the rest, "
        f"judged by the files or by facts in the answer. Steps and tokens are means. {machine()}"
    )
    tail = (
        f"- Not solved by the 1.5B model: {', '.join(missed) or 'none'}.\n"
        "- The untouched third was written last and is not to be tuned on.\n"
        f"- Wanted: {WANTED_SOLVED:.0%} solved, {WANTED_FRESH:.0%} of the untouched third, no false claim, "
        f"median under {WANTED_MEDIAN_S:.0f} s, none over {WANTED_MOST_S:.0f} s."
    )
    write_section("agent-tasks", "\n\n".join([head, table(headers, lines), tail]))
    return is_good


def _figures(rows: Sequence[Row]) -> list[str]:
    return [
        f"{sum(row.solved for row in rows)} of {len(rows)}",
        str(sum(row.is_false_claim for row in rows)),
        f"{statistics.mean(row.steps for row in rows):.1f}",
        f"{statistics.mean(row.tokens for row in rows):.0f}",
        f"{statistics.median(row.seconds for row in rows):.1f}",
        f"{max(row.seconds for row in rows):.1f}",
    ]


def _share(rows: Sequence[Row]) -> float:
    return sum(row.solved for row in rows) / len(rows)


def main() -> bool:
    """Run every task on both engines and write the section; False when a wanted figure is missed."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.jsonl"
        for name in MODELS:
            asyncio.run(run(ALL, name, rows))
        return report(rows)


def _parts() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.agent_tasks")
    parser.add_argument("names", nargs="*", help="tasks, by the beginnings of their names; all without")
    parser.add_argument("--rows", type=Path, required=True, help="where results are added")
    parser.add_argument("--engine", choices=list(MODELS), default="llamacpp")
    parser.add_argument("--part", default="1/1", help="K/N: the K-th of N parts")
    parser.add_argument(
        "--threads", type=int, default=0, help="of llama.cpp; fewer do better on a busy machine"
    )
    parser.add_argument("--report", action="store_true", help="only write the section from the results")
    given = parser.parse_args()
    if given.report:
        return 0 if report(given.rows) else 1
    names: list[str] = given.names
    tasks = [task for task in ALL if not names or task.name.startswith(tuple(names))]
    part, parts = (int(number) for number in str(given.part).split("/"))
    asyncio.run(run(tasks[part - 1 :: parts], given.engine, given.rows, given.threads))
    return 0


if __name__ == "__main__":
    sys.exit(_parts())
