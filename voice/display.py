"""Shows a session in the terminal as it happens: colours and streaming, or plain labelled lines."""

from __future__ import annotations

import json

from rich.console import Console
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from agent.events import (
    EndReason,
    ToolArgumentsDelta,
    ToolCallReady,
    ToolCallStarted,
    ToolResult,
    TurnEnded,
)
from voice.conversation.record import aside, timing_line
from voice.conversation.turns import (
    AgentEvent,
    Ready,
    Replied,
    Saying,
    Sounded,
    Stamped,
    TurnDone,
    Understood,
    UtteranceHeard,
    Wrote,
)

_RESULT_LINES = 6  # of a tool's result, the rest is in the transcript


class Display:
    """Reads the moments of a session. Plain output prints each call once, whole; a terminal streams it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._streaming = console.is_terminal
        self._open_line = False

    def tell(self, stamped: Stamped) -> None:
        """Show one moment."""
        moment = stamped.moment
        if isinstance(moment, Ready):
            self._line("ready", f"after {moment.start_s:.1f} s", "dim")
        elif isinstance(moment, UtteranceHeard):
            self._heard(moment)
        elif isinstance(moment, Wrote):
            self._line("you", moment.text, "bold cyan")
        elif isinstance(moment, Understood):
            if moment.written.text != moment.written.raw:
                self._line("understood", moment.written.text, "bold")
        elif isinstance(moment, Saying):
            self._line("utter", moment.clause, "bold green")
        elif isinstance(moment, Replied):
            if "`" in moment.text:  # code, which is not said as it stands
                self._line("reply as written", moment.text, "")
        elif isinstance(moment, TurnDone):
            self._line("timings", timing_line(moment.timings), "dim")
            self._console.print()
        elif isinstance(moment, Sounded):
            self._line("sound", moment.word, "dim")
        elif isinstance(moment, AgentEvent):
            self._agent(moment)
        elif line := aside(moment).strip():
            label, _, text = line.partition(": ")
            self._line(label.lower(), text, "dim")

    def trouble(self, message: str) -> None:
        """Show what went wrong beside the session."""
        self._line("trouble", message, "yellow")

    def _heard(self, moment: UtteranceHeard) -> None:
        heard = moment.heard
        if heard.rejected is not None:
            self._line("not heard as speech", heard.rejected, "dim")
            return
        self._line("you", heard.text, "bold cyan")
        if heard.words:
            times = " ".join(f"{word.text.strip()}@{word.start_s:.1f}" for word in heard.words)
            self._line("words", times, "dim")

    def _agent(self, moment: AgentEvent) -> None:
        event = moment.event
        if isinstance(event, ToolCallStarted) and self._streaming:
            self._console.print(Text(f"tool: {event.name} ", style="magenta"), end="")
            self._open_line = True
        elif isinstance(event, ToolArgumentsDelta) and self._streaming:
            self._console.print(Text(event.json_fragment, style="magenta"), end="")
            self._open_line = True  # again, when something else was shown meanwhile
        elif isinstance(event, ToolCallReady):
            if not self._streaming:
                self._line(
                    "tool", f"{event.name} {json.dumps(dict(event.arguments), ensure_ascii=False)}", ""
                )
            self._close_line()
        elif isinstance(event, ToolResult):
            self._result(event)
        elif isinstance(event, TurnEnded) and event.reason is not EndReason.ANSWERED:
            self._line("turn ended", f"{event.reason.value} {event.detail}".strip(), "yellow")

    def _result(self, result: ToolResult) -> None:
        lines = result.content.splitlines() or [""]
        shown = lines[:_RESULT_LINES]
        if len(lines) > len(shown):
            shown.append(f"... {len(lines) - len(shown)} more lines")
        self._line("result" if result.ok else "result (failed)", "\n    ".join(shown), "dim")

    def _line(self, label: str, text: str, style: str) -> None:
        self._close_line()
        self._console.print(Text(f"{label}: ", style="dim") + Text(text, style=style))

    def _close_line(self) -> None:
        if self._open_line:
            self._console.print()
            self._open_line = False


def turns_table(turns: list[TurnDone]) -> Table:
    """All turns of a session, one row each."""
    table = Table(title="Turns", title_justify="left")
    table.add_column("#", justify="right")
    table.add_column("heard")
    columns = (
        "endpoint s",
        "transcription s",
        "cached",
        "new",
        "first token s",
        "first audio s",
        "response s",
    )
    for name in columns:
        table.add_column(name, justify="right")
    for turn in turns:
        times = turn.timings
        table.add_row(
            str(turn.number),
            turn.heard.text,
            f"{times.endpoint_s:.2f}",
            f"{times.transcription_s:.2f}",
            str(times.cached_tokens),
            str(times.new_tokens),
            *(
                "" if value is None else f"{value:.2f}"
                for value in (times.first_token_s, times.first_audio_s, times.response_s)
            ),
        )
    return table


def print_turns(console: Console, turns: list[TurnDone]) -> None:
    """The table in a terminal; elsewhere a labelled line for each turn, which a screen reader can follow."""
    if console.is_terminal:
        console.print(turns_table(turns))
        return
    for turn in turns:
        console.print(f"turn {turn.number}: {turn.heard.text} ({timing_line(turn.timings)})", markup=False)


def print_difference(console: Console, difference: str) -> None:
    """A unified diff, coloured in a terminal."""
    if difference:
        console.print("difference of the project:")
        coloured = Syntax(difference, "diff", background_color="default")
        console.print(coloured if console.is_terminal else Text(difference))
