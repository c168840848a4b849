"""`utter trace`: when things happened in the last turns, as lines and as a waterfall chart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.errors import UtterError
from voice.commands.context import of, sessions_folder
from voice.conversation.trace import FILE, TraceRow, read
from voice.waterfall import as_html


def trace(
    context: typer.Context,
    session: Annotated[
        Path | None, typer.Argument(help="A session's folder; else the last one.", metavar="[FOLDER]")
    ] = None,
    last: Annotated[int, typer.Option(help="How many turns.", min=1)] = 10,
    html: Annotated[Path | None, typer.Option(help="Write a waterfall chart to this file.")] = None,
) -> None:
    """Show the last turns, each moment measured from the end of your speech."""
    console = of(context).console
    rows = read(_trace_of(session))[-last:]
    for row in rows:
        console.print(line(row), markup=False)
    if html is not None:
        try:
            html.write_text(as_html(rows), encoding="utf-8")
        except OSError as error:
            raise UtterError(f"The chart cannot be written to {html}: {error.strerror}.") from error
        console.print(f"written: {html}", markup=False)


def line(row: TraceRow) -> str:
    """One turn as a sentence, for eyes and screen readers."""
    moments = (
        ("transcription", row.transcription_s),
        ("words", row.prepared_s),
        ("turn over", row.endpoint_s),
        ("first token", row.first_token_s),
        ("first clause", row.first_clause_s),
        ("first audio", row.first_audio_s),
    )
    parts = [f"{name} {at_s:.2f} s" for name, at_s in moments if at_s is not None]
    tokens = f"tokens {row.cached_tokens} cached, {row.new_tokens} new"
    return f"turn {row.number}: {row.text} ({', '.join(parts)}; {tokens})"


def _trace_of(session: Path | None) -> Path:
    if session is not None:
        return session / FILE
    found = sorted(sessions_folder().glob(f"*/{FILE}"))
    if not found:
        raise UtterError("There is no trace yet. Hold a session with `utter talk` first.")
    return found[-1]
