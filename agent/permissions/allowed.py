"""Commands that run without asking: what only looks, and what tests, checks or builds the project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from agent.permissions.decision import Ground
from agent.permissions.secret_names import is_git_internal, is_secret
from agent.permissions.shell_syntax import Call, Word

_HARMLESS_VARIABLES = frozenset(
    {
        *("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LC_ALL", "LANG", "TZ", "NODE_ENV", "RUST_BACKTRACE"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED", "PYTHONUNBUFFERED", "TERM", "DEBUG", "VERBOSE"),
    }
)
_OWN_PROGRAM = re.compile(r"(\./)?(\.?venv/bin|node_modules/\.bin|vendor/bin)/[\w.+-]+")


@dataclass(frozen=True)
class Rule:
    """Allows a program with `first` words after its name.

    `never` are options, or beginnings of options, that make it ask; with `only`, so does any that this does
    not match. `is_looking` for what changes nothing, `reads_all` for what may show any file of the project,
    `max_names` bounds the words that are no options.
    """

    first: tuple[str, ...] = ()
    never: tuple[str, ...] = ()
    is_looking: bool = False
    reads_all: bool = False
    max_names: int = 1_000
    only: str = ""


def _looks(*never: str, names: int = 1_000) -> tuple[Rule, ...]:
    return (Rule((), never, is_looking=True, max_names=names),)


def _runs(*firsts: str, never: tuple[str, ...] = (), names: int = 1_000) -> tuple[Rule, ...]:
    return tuple(Rule(tuple(first.split()), never, max_names=names) for first in firsts)


_GIT_NEVER = (
    "--output",
    "--ext-diff",
    "--textconv",
    "-O",
    "--open-files-in-pager",
    "--no-index",
    "--no-exclude-standard",
    "--contents",
)
# What shows no line of any file.
_GIT_STATUS = r"-[sb]+|--short|--branch|--long|--porcelain(=.*)?|-u(no|normal|all)?|--ignored|--show-stash"
_GIT_STAT = r"--(short|num|dir)?stat|--name-only|--name-status|--staged|--cached|--summary|-[MC]|--no-color"
_GIT_LOG = (
    rf"{_GIT_STAT}|--oneline|--graph|--all|--decorate|--(no-)?merges|--reverse|--follow|--date=.*|-\d+|-n\d*|"
    r"--max-count=\d+|--(since|until|after|before|author|grep)=.*|--first-parent"
)
_GIT_BRANCH = (
    r"-[arv]+|--all|--remotes|--verbose|--list|--show-current|--merged|--no-merged|--sort=.*|--no-color"
)


def _git(*firsts: str, reads_all: bool = False, names: int = 1_000, only: str = "") -> tuple[Rule, ...]:
    return tuple(Rule(tuple(first.split()), _GIT_NEVER, True, reads_all, names, only) for first in firsts)


_GO = (
    "-exec",
    "--exec",
    "-toolexec",
    "--toolexec",
    "-vettool",
    "--vettool",
    "-overlay",
    "--overlay",
    "-o",
    "-C",
)
_NPM = (
    "--script-shell",
    "--prefix",
    "-C",
    "--userconfig",
    "--globalconfig",
    "--node-options",
    "-g",
    "--global",
)
_PYTEST = ("--basetemp", "--pastebin", "--rootdir", "--trace-config", "--junit", "--log-file", "--report-log")
_MYPY = ("--install-types", "--python-executable", "--config-file", "--junit")
_OUTPUT = ("-o", "--output")
_SCRIPTS = ("test", "lint", "typecheck", "type-check", "check", "build", "format:check", "test:unit")
_TREE = ("-r", "-R", "--recursive", "--dereference-recursive")

RULES: Mapping[str, tuple[Rule, ...]] = {
    **dict.fromkeys(
        ("ls", "cat", "head", "tail", "wc", "pwd", "echo", "true", "false", "whoami", "uname", "which", "du"),
        _looks(),
    ),
    **dict.fromkeys(
        ("basename", "dirname", "realpath", "cut", "tr", "nl", "cmp", "comm", "column"), _looks()
    ),
    **dict.fromkeys(("md5sum", "sha1sum", "sha256sum", "stat", "seq", "sleep", "jq", "cksum"), _looks()),
    "file": _looks("-C", "--compile", "-m", "--magic-file", "-f", "--files-from"),
    "date": _looks("-s", "--set", "-f", "--file", names=1),
    "printf": _looks("-v"),
    "sort": _looks("-o", "--output", "--compress-program", "-T", "--temporary-directory", "--files0-from"),
    "uniq": _looks(names=1),
    "tree": _looks("-o", "-R", "--fromfile"),
    "diff": _looks(*_TREE),
    **dict.fromkeys(
        ("grep", "egrep", "fgrep"),
        (
            Rule((), (*_TREE, "-f", "--file", "--directories", "-d"), True),
            Rule((), ("-f", "--file"), True, True),
        ),
    ),
    "rg": (Rule((), ("--pre", "--hostname-bin", "-f", "--file", "--search-zip", "-z"), True, True),),
    "find": _looks("-delete", "-fprint", "-fls", "-exec", "-ok", "-files0-from"),
    "git": (
        *_git("ls-files", "rev-parse", "describe", "shortlog"),
        *_git("status", only=_GIT_STATUS),
        *_git("diff --stat", only=_GIT_STAT),
        *_git("log --oneline", only=_GIT_LOG),
        *_git("diff", "log", "show", "blame", "grep", reads_all=True),
        *_git("branch", names=0, only=_GIT_BRANCH),
        *_git("stash list", "reflog", names=0, only=_GIT_LOG),
        *_git(
            "tag",
            "remote",
            "worktree list",
            names=0,
            only=r"-[lv]|--list|--verbose|--porcelain|-n\d*|--sort=.*",
        ),
    ),
    "pytest": _runs("", never=_PYTEST),
    "python": (
        *_runs("-m pytest", never=_PYTEST),
        *_runs("-m mypy", never=_MYPY),
        *_runs("-m ruff check", never=("--config", *_OUTPUT)),
        *_runs("-m unittest", "-m doctest", "-m compileall"),
    ),
    "ruff": _runs("check", "format", never=("--config", *_OUTPUT)),
    "mypy": _runs("", never=_MYPY),
    "pyright": _runs("", never=("--pythonpath", "--createstub")),
    **dict.fromkeys(
        ("flake8", "pylint", "black", "isort", "bandit", "ty"), _runs("", never=("--config", "-c", *_OUTPUT))
    ),
    "tox": _runs("", never=("-",), names=0),
    "nox": _runs("", never=("-",), names=0),
    "npm": _runs("test", "t", *(f"run {name}" for name in _SCRIPTS), never=_NPM),
    "yarn": _runs(*_SCRIPTS, *(f"run {name}" for name in _SCRIPTS), never=(*_NPM, "--cwd")),
    "pnpm": _runs(*_SCRIPTS, *(f"run {name}" for name in _SCRIPTS), never=(*_NPM, "--dir")),
    "bun": _runs("test", never=("--preload", "--cwd")),
    "node": _runs(
        "--test", never=("-e", "--eval", "-p", "--print", "-r", "--require", "--import", "--loader")
    ),
    **dict.fromkeys(("jest", "vitest", "mocha"), _runs("", never=("--config", "-c", "--require", "-r"))),
    "eslint": _runs("", never=("--rulesdir", "--resolve-plugins", "-c", "--config", "-o", "--output-file")),
    "prettier": _runs("--check", "-c", "-l", never=("--plugin", "--config")),
    "tsc": _runs("--noEmit", "-p . --noEmit"),
    "go": _runs("test", "vet", "build ./...", "list", "version", never=_GO),
    "gofmt": _runs("-l", "-d"),
    "cargo": _runs(
        *("test", "check", "clippy", "build", "fmt", "tree"), never=("--config", "-C", "--target-dir")
    ),
    "golangci-lint": _runs("run", never=("-c", "--config")),
    # A second name is another target.
    "make": _runs(
        *("test", "tests", "check", "lint"), never=("-f", "--file", "-C", "--eval", "-I", "="), names=0
    ),
    "ctest": _runs("", never=("-S", "-D", "--build-and-test")),
    "dotnet": _runs("test", "build"),
    "mvn": _runs("test", "verify", never=("-f", "--file", "-s"), names=0),
    **dict.fromkeys(
        ("gradle", "./gradlew"), _runs("test", "check", never=("-b", "-I", "--init-script", "-p"), names=0)
    ),
    "rspec": _runs("", never=("-r", "--require", "-o", "--out")),
    "rake": _runs("test", "spec", never=("-f", "-e", "-r", "="), names=0),
    "shellcheck": _runs(""),
}


@dataclass(frozen=True)
class Place:
    """Where a command may stand when it comes to it: a `cd` before it may have worked or not."""

    ground: Ground
    folders: tuple[str, ...] = field(default=())

    def after(self, call: Call) -> Place | None:
        """The place after a `cd`, or None when it leads out of the workspace or nobody knows where."""
        words = [word for word in call.words[1:] if word.text not in ("--", "-P", "-L")]
        if len(words) != 1 or not words[0].is_literal or words[0].pattern or words[0].text == "-":
            return None
        there = tuple(self.ground.real(words[0].text, folder) for folder in self.folders)
        if not all(is_inside(place, self.ground.root) for place in there):
            return None
        return Place(self.ground, tuple(dict.fromkeys((*self.folders, *there))))

    def trouble(self, word: Word) -> str:
        """Why a word must not be taken as it stands, if it is a path at all; or nothing."""
        if not word.is_literal:
            return "I cannot tell what it comes to"
        text = word.text
        for part in {text, text.partition("=")[2], text.rpartition(":")[2]} - {""}:
            # A short option may have its value behind it: `-f/etc/passwd`.
            if part.startswith("-") and not re.match(r"-+\w?[./~]", part):
                continue
            path = re.sub(r"^-+\w?", "", part) if part.startswith("-") else part
            for folder in self.folders:
                names = self.ground.matches(word.pattern, folder) if word.pattern else (path,)
                for name in names:
                    if trouble := self._trouble(name, folder):
                        return trouble
        return ""

    def _trouble(self, path: str, folder: str) -> str:
        place, root = self.ground.real(path, folder), self.ground.root
        if not is_inside(place, root):
            return f"{path} is outside the project"
        if is_secret(place.removeprefix(root)) or is_secret(path):
            return f"{path} may hold secrets"
        if is_git_internal(place.removeprefix(root)):
            return f"{path} belongs to git itself"
        return ""


def why_ask(call: Call, place: Place, *, only_looking: bool = False) -> str:
    """Why a command is not run without asking, as the end of a sentence; nothing when it is."""
    if set(call.variables) - _HARMLESS_VARIABLES:
        return "it sets variables of its own"
    if not call.words:
        return ""
    name = _program(call.words[0])
    rules = RULES.get(name, ())
    words = call.words[1:]
    for word in words:
        if trouble := place.trouble(word):
            return trouble
    for rule in rules:
        # What the project brings along does what it likes, whatever it is called.
        may_be = not is_own(call.words[0]) if rule.is_looking else not only_looking
        if may_be and _fits(rule, words):
            if rule.reads_all and place.ground.holds_secrets(ignored_too=name != "git"):
                return "it may show files with secrets"
            return ""
    return "it is not among the commands that I run unasked"


def is_inside(place: str, root: str) -> bool:
    """Whether an absolute path is the workspace or lies in it."""
    return place == root or place.startswith(f"{root.rstrip('/')}/")


def is_own(program: Word) -> bool:
    """Whether a program is given by its path, and not as one of the system's."""
    return "/" in program.text and not re.fullmatch(r"/(usr/)?(local/)?bin/[\w.+-]+", program.text)


def _program(word: Word) -> str:
    """The name that rules know a program by; nothing for a file that merely has such a name."""
    if not word.is_literal or word.pattern:
        return ""
    text = word.text
    if "/" in text and text not in RULES:
        if is_own(word) and not _OWN_PROGRAM.fullmatch(text):
            return ""
        text = text.rpartition("/")[2]
    return "python" if re.fullmatch(r"python3?(\.\d+)?", text) else text


def _fits(rule: Rule, words: tuple[Word, ...]) -> bool:
    texts = [word.text for word in words]
    if tuple(texts[: len(rule.first)]) != rule.first:
        return False
    rest = texts[len(rule.first) :]
    end = rest.index("--") if "--" in rest else len(rest)
    options = [text for text in rest[:end] if text.startswith("-") and text != "-"]
    if any(_is_option(text, option) for text in rest for option in rule.never):
        return False
    # Those that `first` names are to the rule's liking already.
    if rule.only and not all(re.fullmatch(rule.only, text) for text in options):
        return False
    return len(rest) - len(options) - ("--" in rest) <= rule.max_names


def _is_option(text: str, option: str) -> bool:
    if option == "=":
        return "=" in text
    if re.fullmatch(r"-\w", option):  # may stand among other letters: `grep -nr`
        return re.match(r"-\w*" + option[1], text) is not None and not text.startswith("--")
    # A long option may be cut short: `--out` for `--output`.
    name = text.partition("=")[0]
    return name.startswith(option) or (len(name) > 2 and name.startswith("--") and option.startswith(name))
