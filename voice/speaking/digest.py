"""What came of a long turn, in one sentence, from the facts of it. Pure."""

from __future__ import annotations

from agent.facts import CommandRun, Committed, Fact, FileEdited, FilesRestored, TestsRun
from voice.speaking.names_aloud import count, file_names, listed, number
from voice.speaking.narrate import all_passed

LONG_DEEDS = 5  # a turn with fewer was heard as it went
_DEEDS = (FileEdited, TestsRun, CommandRun, Committed, FilesRestored)
_NAMED = 3


class Digest:
    """Fed with the facts of one turn."""

    def __init__(self) -> None:
        self._deeds: list[Fact] = []

    def see(self, fact: Fact) -> None:
        """Something was done, or looked at."""
        if isinstance(fact, _DEEDS):
            self._deeds.append(fact)

    def sentence(self) -> str:
        """Files, the last test run, commits and failed commands; empty for a turn that was not long."""
        if len(self._deeds) < LONG_DEEDS:
            return ""
        parts = [*self._files(), *self._tests(), *self._commits(), *self._commands()]
        return f"In short: {', and '.join(parts)}." if parts else ""

    def _files(self) -> list[str]:
        paths = list(dict.fromkeys(one.path for one in self._deeds if isinstance(one, FileEdited)))
        if not paths:
            return []
        named = listed(file_names(paths)[:_NAMED], len(paths) - min(len(paths), _NAMED))
        return [f"I changed {count(len(paths), 'file')}, {named}"]

    def _tests(self) -> list[str]:
        runs = [one for one in self._deeds if isinstance(one, TestsRun)]
        if not runs:
            return []
        last, failed = runs[-1], runs[-1].failed + runs[-1].errors
        if failed:
            return [f"{count(failed, 'test')} failed in the end, {number(last.passed)} passed"]
        return [f"in the end {all_passed(last.passed)}"]

    def _commits(self) -> list[str]:
        n_commits = sum(isinstance(one, Committed) for one in self._deeds)
        return [f"I made {count(n_commits, 'commit')}"] if n_commits else []

    def _commands(self) -> list[str]:
        commands = [one for one in self._deeds if isinstance(one, CommandRun)]
        failed = sum(bool(one.exit_status) or one.timed_out for one in commands)
        return [f"{number(failed)} of {count(len(commands), 'command')} failed"] if failed else []
