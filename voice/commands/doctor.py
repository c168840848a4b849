"""`utter doctor`: is this machine ready, and if not, what mends it."""

from __future__ import annotations

import typer

from voice.commands.context import of
from voice.doctor import examine


def doctor(context: typer.Context) -> None:
    """Look over Python, BLAS, GPU, audio, models and disk; each line says the mend."""
    made = of(context)
    wanting = 0
    for finding in examine(made.settings, made.store):
        wanting += not finding.ok
        mark = "ok" if finding.ok else "MEND"
        made.console.print(f"{mark:4}  {finding.name}: {finding.detail}", markup=False)
        if finding.mend:
            made.console.print(f"      {finding.mend}", markup=False)
    if wanting:
        plural = "line needs" if wanting == 1 else "lines need"
        made.console.print(f"{wanting} {plural} mending.")
        raise typer.Exit(1)
    made.console.print("Everything is in order.")
