"""The turns of a trace as a chart in one HTML file: bars from the end of speech to the first sound. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from voice.conversation.trace import TraceRow

_STAGES = (
    ("the words are known", "#b9a23c"),
    ("the turn is taken as over", "#7a7a7a"),
    ("the model reads", "#3b6ea5"),
    ("the first clause is written", "#3f8f5b"),
    ("it is spoken", "#b0682c"),
)
_WIDTH, _ROW, _LEFT = 900, 34, 320


def as_html(rows: Sequence[TraceRow]) -> str:
    """A page with the chart, and the same as a table for those who do not see it."""
    longest_s = max((end_s for row in rows for _, end_s in stages(row)), default=1.0) or 1.0
    bars = "".join(_bars(number, row, longest_s) for number, row in enumerate(rows))
    legend = "".join(
        f'<li><span style="color:{colour}">&#9632;</span> {name}</li>' for name, colour in _STAGES
    )
    height = _ROW * max(1, len(rows)) + 8
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Utter: the last turns</title>
<style>body{{font:15px sans-serif;margin:2em}}li{{list-style:none}}
td,th{{padding:.2em 1em;text-align:left}}</style>
<h1>The last turns</h1>
<p>Seconds after the end of your speech.</p>
<ul>{legend}</ul>
<svg width="{_LEFT + _WIDTH}" height="{height}" role="img" aria-label="The table below as bars">{bars}</svg>
{_table(rows)}
</html>
"""


def stages(row: TraceRow) -> tuple[tuple[float, float], ...]:
    """From when to when each stage went, in the order of `_STAGES`; what did not happen has no length."""
    found: list[tuple[float, float]] = []
    at_s = 0.0
    for end_s in (row.prepared_s, row.endpoint_s, row.first_token_s, row.first_clause_s, row.first_audio_s):
        later_s = at_s if end_s is None else max(at_s, end_s)
        found.append((at_s, later_s))
        at_s = later_s
    return tuple(found)


def _bars(number: int, row: TraceRow, longest_s: float) -> str:
    top = number * _ROW
    label = f'<text x="0" y="{top + 20}">{row.number}. {escape(row.text[:38])}</text>'
    scale = _WIDTH / longest_s
    return label + "".join(
        f'<rect x="{_LEFT + start_s * scale:.1f}" y="{top + 4}" width="{(end_s - start_s) * scale:.1f}"'
        f' height="{_ROW - 10}" fill="{colour}"><title>{name}: {end_s - start_s:.2f} s</title></rect>'
        for (start_s, end_s), (name, colour) in zip(stages(row), _STAGES, strict=True)
    )


def _table(rows: Sequence[TraceRow]) -> str:
    heads = (
        "turn",
        "request",
        "transcription",
        "over",
        "first token",
        "first clause",
        "first audio",
        "cached",
        "new",
    )
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join(
        "<tr>"
        + "".join(
            f"<td>{value}</td>"
            for value in (
                row.number,
                escape(row.text),
                _seconds(row.transcription_s),
                *map(_seconds, (row.endpoint_s, row.first_token_s, row.first_clause_s, row.first_audio_s)),
                row.cached_tokens,
                row.new_tokens,
            )
        )
        + "</tr>"
        for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _seconds(value_s: float | None) -> str:
    return "" if value_s is None else f"{value_s:.2f}"
