"""Reads what `cargo test` prints. Pure."""

from __future__ import annotations

import re

from agent.tools.testreport import Outcome, TestCase, TestReport

_TEST = re.compile(r"^test (.+?)(?: - should panic)? \.\.\. (ok|FAILED|ignored)(?:,.*)?$", re.MULTILINE)
_BLOCK = re.compile(
    r"^---- (.+?) stdout ----\n(.*?)(?=^---- .+ stdout ----$|^failures:$)", re.MULTILINE | re.DOTALL
)
_PANIC = re.compile(
    r"panicked at (?:'(?P<old>.*)', )?(?P<path>[^\s:]+):(?P<line>\d+):\d+:?\n?(?P<said>[^\n]*)"
)
_SIDES = re.compile(r"^\s*left: `?(.+?)`?,?\n\s*right: `?(.+?)`?,?$", re.MULTILINE)
_COMPILER = re.compile(r"^error(?:\[E\d+\])?: (.+)\n\s*--> ([^\s:]+):(\d+):\d+", re.MULTILINE)
_SECONDS = re.compile(r"finished in ([\d.]+)s")
_OUTCOMES = {"ok": Outcome.PASSED, "FAILED": Outcome.FAILED, "ignored": Outcome.SKIPPED}


def from_cargo(stdout: str, stderr: str) -> TestReport | None:
    """The run's report; None when nothing was run and nothing failed to compile."""
    told = {name.strip(): body for name, body in _BLOCK.findall(stdout)}
    cases = [_case(name, _OUTCOMES[word], told.get(name, "")) for name, word in _TEST.findall(stdout)]
    error = _COMPILER.search(stderr)
    if error and not cases:
        message = f"{error[2]} line {error[3]}: {error[1]}"
        cases = [TestCase("cargo", "the crate", Outcome.ERROR, message, ((error[2], int(error[3])),))]
    duration_s = sum(float(seconds) for seconds in _SECONDS.findall(stdout))
    return TestReport("cargo", tuple(cases), duration_s) if cases else None


def _case(name: str, outcome: Outcome, told: str) -> TestCase:
    bare = name.rpartition("::")[2]
    if outcome is not Outcome.FAILED:
        return TestCase(name, bare, outcome)
    panic, sides = _PANIC.search(told), _SIDES.search(told)
    message = (panic["old"] or panic["said"]).strip() if panic else "it failed"
    places = ((panic["path"], int(panic["line"])),) if panic else ()
    # `assert_eq!(got, want)` is the usual order.
    got, expected = (sides[1].strip(), sides[2].strip()) if sides else ("", "")
    return TestCase(name, bare, outcome, message, places, expected=expected, got=got)
