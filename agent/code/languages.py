"""The languages that are understood beyond their text, and which files are tests, by file names. Pure."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import PurePosixPath


class Language(str, Enum):
    PYTHON = "python"
    JAVASCRIPT = "javascript"  # and JSX
    TYPESCRIPT = "typescript"
    TSX = "tsx"
    GO = "go"
    RUST = "rust"

    @property
    def is_script(self) -> bool:
        """JavaScript and what compiles to it."""
        return self in (Language.JAVASCRIPT, Language.TYPESCRIPT, Language.TSX)

    @property
    def comment(self) -> str:
        """What a comment on one line begins with."""
        return "#" if self is Language.PYTHON else "//"


_SUFFIXES = {
    ".py": Language.PYTHON,
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), Language.JAVASCRIPT),
    **dict.fromkeys((".ts", ".mts", ".cts"), Language.TYPESCRIPT),
    ".tsx": Language.TSX,
    ".go": Language.GO,
    ".rs": Language.RUST,
}
_TEST_FILES = {
    Language.PYTHON: re.compile(r"(test_.*|.*_test|tests?)\.py"),
    Language.GO: re.compile(r".*_test\.go"),
    Language.RUST: re.compile(r"(test_.*|.*_test|tests?)\.rs"),
}
_SCRIPT_TEST_FILE = re.compile(r"(.*[.\-_](test|spec)|test([\-_].*)?)\.[cm]?[jt]sx?")
_TEST_FOLDERS = frozenset({"tests", "test", "__tests__", "spec"})


def language_of(path: str) -> Language | None:
    """The language of a file of that name; None for prose, data and languages that are not known."""
    return _SUFFIXES.get(PurePosixPath(path).suffix.lower())


def is_test_file(path: str) -> bool:
    """Whether a file of that name holds tests, by the names that its language's test runners look for."""
    pure, language = PurePosixPath(path), language_of(path)
    if language is None:
        return False
    if language.is_script:
        is_in_folder = bool({"__tests__", "test", "tests"} & set(pure.parts[:-1]))
        return bool(_SCRIPT_TEST_FILE.fullmatch(pure.name)) or is_in_folder
    is_whole_folder = language is Language.RUST and pure.parts[0] == "tests"
    return bool(_TEST_FILES[language].fullmatch(pure.name)) or is_whole_folder


def is_test_code(path: str) -> bool:
    """Whether a file is a test or a helper of tests."""
    pure = PurePosixPath(path)
    return is_test_file(path) or bool(_TEST_FOLDERS & set(pure.parts[:-1])) or pure.name == "conftest.py"
