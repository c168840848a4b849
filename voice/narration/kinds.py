"""What kind of file a change is in: code, a test, settings, prose, or something that nobody wrote. Pure."""

from __future__ import annotations

import re
from enum import IntEnum
from pathlib import PurePosixPath

from agent.code.languages import is_test_code
from voice.narration.sections import Section


class FileKind(IntEnum):
    """In the order in which they are told."""

    CODE = 0
    TEST = 1
    SETTINGS = 2
    PROSE = 3
    OTHER = 4
    GENERATED = 5


_CODE = frozenset(
    {
        *("py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "mts", "cts", "tsx", "go", "rs", "java", "kt", "kts"),
        *("scala", "c", "h", "cc", "cpp", "cxx", "hh", "hpp", "cs", "rb", "php", "swift", "m", "mm", "lua"),
        *("pl", "pm", "r", "jl", "ex", "exs", "erl", "hs", "ml", "clj", "sh", "bash", "zsh", "fish", "ps1"),
        *("sql", "vue", "svelte", "dart", "zig"),
    }
)
_PROSE = frozenset({"md", "rst", "txt", "adoc", "org", "tex"})
_SETTINGS = frozenset(
    {
        *("toml", "yaml", "yml", "json", "ini", "cfg", "conf", "properties", "xml", "gradle", "cmake", "env"),
        *("mk", "lock"),
    }
)
_SETTINGS_NAMES = re.compile(
    r"(makefile|dockerfile|jenkinsfile|procfile|cmakelists\.txt|requirements.*\.txt|\..+rc)"
)
_LOCKS = re.compile(
    r"(package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml|bun\.lockb?|poetry\.lock|uv\.lock"
    r"|pdm\.lock|pipfile\.lock|cargo\.lock|composer\.lock|gemfile\.lock|go\.sum|flake\.lock"
    r"|packages\.lock\.json)"
)
_MADE = re.compile(
    r".*(\.min\.(js|css)|\.(js|css|mjs)\.map|_pb2(_grpc)?\.pyi?|\.pb\.(go|cc|h)|\.g\.(dart|cs)|\.designer\.cs|\.snap)"
)
_MADE_FOLDERS = frozenset({"node_modules", "vendor", "third_party", "dist", "__snapshots__", "generated"})
_TEST_NAME = re.compile(r"(test_.*|.*[._-](test|spec)|.*tests?)\.\w+", re.IGNORECASE)


def kind_of(section: Section) -> FileKind:
    """By its name, and by what its diff shows of it."""
    path = PurePosixPath(section.path)
    name = path.name.lower()
    is_made = section.is_marked_generated or section.is_minified or bool(_MADE_FOLDERS & set(path.parts[:-1]))
    if is_made or _LOCKS.fullmatch(name) or _MADE.fullmatch(name):
        return FileKind.GENERATED
    suffix = path.suffix[1:].lower()
    if section.is_binary or section.is_module or section.is_link:
        return FileKind.OTHER
    if is_test_code(section.path) or (suffix in _CODE and _TEST_NAME.fullmatch(name)):
        return FileKind.TEST
    if suffix in _CODE:
        return FileKind.CODE
    if suffix in _SETTINGS or _SETTINGS_NAMES.fullmatch(name):
        return FileKind.SETTINGS
    return FileKind.PROSE if suffix in _PROSE or not suffix else FileKind.OTHER
