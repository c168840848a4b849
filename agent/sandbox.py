"""Confines the project's programs: they write only into the workspace and reach no network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

_PROBE_TIME_S = 10.0
# What belongs to other programs of the user: their sockets take orders from whoever reaches them.
_EMPTIED = ("/tmp", "/run")
_HIDDEN_FOLDERS = (".ssh", ".gnupg", ".aws", ".kube", ".docker", ".password-store", ".config/gh", ".azure")
_HIDDEN_FILES = (".netrc", ".git-credentials", ".pgpass", ".npmrc", ".pypirc")
# Git starts programs that these name, also when the user himself runs git later.
_GIT_TRIGGERS = (".git/hooks", ".git/config")

_PROFILE = """\
(version 1)
(allow default)
(deny file-write*)
(allow file-write* (subpath "/dev"))
{allowed}
{denied}
{network}
"""


class Kind(str, Enum):
    """The system's own means of confining a program."""

    BUBBLEWRAP = "bubblewrap"
    SANDBOX_EXEC = "sandbox-exec"


_OFFERS = {
    "darwin": (Kind.SANDBOX_EXEC, "sandbox-exec", ""),
    "linux": (Kind.BUBBLEWRAP, "bwrap", "allow user namespaces: sysctl kernel.unprivileged_userns_clone=1"),
}
_INSTALL = "install bubblewrap (Debian: apt-get install bubblewrap)"


@dataclass(frozen=True)
class Rights:
    """What one program may do beyond reading. `writable` are absolute folders besides the workspace.

    With `repository` it may change the project's git repository, but not what git runs. With `credentials` it
    sees the user's keys and may change git's settings, as `git push -u` does.
    """

    may_write: bool = True
    writable: tuple[Path, ...] = ()
    network: bool = False
    repository: bool = False
    credentials: bool = False


@dataclass(frozen=True)
class Sandbox:
    """Confines programs to `root`. `program` is the confining one; `home` is where the user's keys lie.

    `cache` is a writable folder that stands in for the user's own caches, so that compilers stay fast.
    """

    kind: Kind
    program: str
    root: Path
    cache: Path
    home: Path

    def command(self, argv: Sequence[str], cwd: Path, rights: Rights, own: Iterable[Path] = ()) -> list[str]:
        """`argv` as it is started. `own` are paths that it needs to read wherever they lie."""
        if self.kind is Kind.SANDBOX_EXEC:
            return self._sandbox_exec(argv, rights)
        return self._bubblewrap(argv, cwd, rights, own)

    def environment(self, environment: Mapping[str, str]) -> dict[str, str]:
        """`environment` with caches and temporary files where they can be written."""
        cache = str(self.cache)
        moved = {
            "XDG_CACHE_HOME": cache,
            "GOCACHE": f"{cache}/go-build",
            "npm_config_cache": f"{cache}/npm",
            "TMPDIR": "/tmp" if self.kind is Kind.BUBBLEWRAP else cache,
        }
        return {**environment, **moved}

    def _bubblewrap(self, argv: Sequence[str], cwd: Path, rights: Rights, own: Iterable[Path]) -> list[str]:
        root = str(self.root)
        command = [self.program, "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
        for folder in _EMPTIED:
            command += ["--tmpfs", folder]
        if rights.network:
            command += ["--ro-bind-try", "/run/systemd/resolve", "/run/systemd/resolve"]
        for path in own:
            if any(_is_under(path, Path(folder)) for folder in _EMPTIED):
                command += ["--ro-bind-try", str(path), str(path)]
        command += ["--bind" if rights.may_write else "--ro-bind", root, root]
        for path in (self.cache, *rights.writable):
            command += ["--bind", str(path), str(path)]
        # Mounted even where it may be written: what is mounted cannot be moved out of the way.
        may_commit = rights.may_write and (rights.repository or rights.credentials)
        command += ["--bind-try" if may_commit else "--ro-bind-try", f"{root}/.git", f"{root}/.git"]
        if not rights.credentials:
            for name in _GIT_TRIGGERS if may_commit else ():
                command += ["--ro-bind-try", f"{root}/{name}", f"{root}/{name}"]
            command += self._hiding()
        command += ["--unshare-user-try", "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]
        command += [] if rights.network else ["--unshare-net"]
        return [*command, "--die-with-parent", "--new-session", "--chdir", str(cwd), "--", *argv]

    def _hiding(self) -> list[str]:
        folders = [self.home / name for name in _HIDDEN_FOLDERS]
        files = [self.home / name for name in _HIDDEN_FILES]
        words = [word for folder in folders if folder.is_dir() for word in ("--tmpfs", str(folder.resolve()))]
        for file in files:
            if file.is_file():
                words += ["--ro-bind", "/dev/null", str(file.resolve())]
        return words

    def _sandbox_exec(self, argv: Sequence[str], rights: Rights) -> list[str]:
        # Paths are handed over as parameters: in the profile's own text they would have to be quoted.
        parameters: list[str] = []

        def subpath(path: Path) -> str:
            name = f"P{len(parameters) // 2}"
            parameters.extend(("-D", f"{name}={path}"))
            return f'(subpath (param "{name}"))'

        writable = [self.cache, *rights.writable, *([self.root] if rights.may_write else [])]
        allowed = [f"(allow file-write* {subpath(path.resolve())})" for path in writable]
        denied: list[str] = []
        if not rights.credentials:
            fixed = _GIT_TRIGGERS if rights.repository else (".git",)
            denied += [f"(deny file-write* {subpath(self.root / name)})" for name in fixed]
            secrets = [self.home / name for name in (*_HIDDEN_FOLDERS, *_HIDDEN_FILES)]
            denied += [f"(deny file-read* file-write* {subpath(path)})" for path in secrets if path.exists()]
        network = "" if rights.network else '(deny network*)\n(allow network* (local ip "localhost:*"))'
        profile = _PROFILE.format(allowed="\n".join(allowed), denied="\n".join(denied), network=network)
        return [self.program, *parameters, "-p", profile, *argv]


@dataclass(frozen=True)
class Found:
    """The sandbox that this machine offers, or else why there is none and how that is mended."""

    sandbox: Sandbox | None
    reason: str = ""
    mend: str = ""


def find(root: Path, cache: Path, home: Path, search_path: str | None = None) -> Found:
    """Look for a sandbox and try it out once. `root` is absolute and free of links; `cache` is made."""
    if sys.platform not in _OFFERS:
        return Found(None, f"there is no sandbox for {sys.platform}")
    kind, name, mend = _OFFERS[sys.platform]
    program = shutil.which(name, path=search_path)
    if program is None:
        return Found(None, f"{name} is not installed", _INSTALL)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        sandbox = Sandbox(kind, program, root, cache.resolve(), home)
        tried = subprocess.run(
            sandbox.command(["true"], root, Rights()),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROBE_TIME_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Found(None, f"{name} cannot be started: {error}")
    if tried.returncode != 0:
        said = tried.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
        return Found(None, f"{name} does not work here: {said}", mend)
    return Found(sandbox)


def _is_under(path: Path, folder: Path) -> bool:
    return path == folder or folder in path.parents
