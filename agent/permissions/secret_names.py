"""Names of files that are not for everybody's eyes, and of git's own."""

from __future__ import annotations

import re
import unicodedata

_SECRET_NAMES = re.compile(
    r"(\.env(\..+)?|\.envrc|\.netrc|\.pgpass|\.npmrc|\.pypirc|\.git-credentials|credentials(\.json)?|"
    r"secrets?\.(json|ya?ml|toml)|id_(rsa|dsa|ecdsa|ed25519)(\.pub)?|.+\.(pem|key|p12|pfx|keystore|jks|kdbx))",
    re.IGNORECASE,
)
_PUBLIC_NAMES = re.compile(r"\.env\.(example|sample|template|dist)", re.IGNORECASE)
_SECRET_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".kube"})


def is_secret(path: str) -> bool:
    """Whether a file of that name usually holds passwords or keys."""
    parts = _folded_parts(path)
    if not parts:
        return False
    if any(part in _SECRET_FOLDERS for part in parts):
        return True
    return bool(_SECRET_NAMES.fullmatch(parts[-1])) and not _PUBLIC_NAMES.fullmatch(parts[-1])


def is_git_internal(path: str) -> bool:
    """Whether a file belongs to git itself: its settings and hooks can start programs."""
    return ".git" in _folded_parts(path)


def _folded_parts(path: str) -> tuple[str, ...]:
    """The parts of a path as a disk compares them that ignores case and invisible characters."""
    if not path.isascii():
        path = "".join(c for c in unicodedata.normalize("NFC", path) if unicodedata.category(c) != "Cf")
    return tuple(part for part in path.casefold().split("/") if part not in ("", "."))
