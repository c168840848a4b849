"""What a command that the user is asked about would need, and whether it could be taken back. Pure."""

from __future__ import annotations

from agent.permissions.shell_syntax import Call

_NETWORK = {
    "git": ("push", "pull", "fetch", "clone", "ls-remote", "submodule", "remote"),
    "npm": ("install", "i", "ci", "add", "update", "publish", "audit", "exec", "view"),
    "yarn": ("", "install", "add", "upgrade", "dlx"),
    "pnpm": ("install", "i", "add", "update", "dlx"),
    "go": ("get", "install", "mod"),
    "cargo": ("fetch", "install", "add", "update", "publish", "search"),
    "uv": ("pip", "sync", "add", "lock", "tool", "run"),
    "poetry": ("install", "add", "update", "publish"),
    **dict.fromkeys(("pip", "pip3"), ("install", "download", "index", "wheel")),
    **dict.fromkeys(
        ("curl", "wget", "ssh", "scp", "rsync", "npx", "apt", "apt-get", "brew", "gh", "ping"), ()
    ),
}
_DESTROYERS = frozenset(
    {
        *(
            "rm",
            "rmdir",
            "unlink",
            "shred",
            "truncate",
            "dd",
            "mv",
            "kill",
            "pkill",
            "killall",
            "sudo",
            "doas",
        ),
        *("chown", "chmod", "twine", "terraform", "kubectl", "psql", "mysql", "docker", "podman", "crontab"),
    }
)
_GIT_DESTROYS = frozenset(
    {
        *(
            "push",
            "reset",
            "clean",
            "checkout",
            "restore",
            "switch",
            "rebase",
            "filter-branch",
            "gc",
            "prune",
        ),
        *("branch", "tag", "stash", "rm", "update-ref", "reflog", "merge", "pull", "submodule", "worktree"),
    }
)


def needs_network(call: Call) -> bool:
    """Whether a command is of no use without the network."""
    subcommands = _NETWORK.get(call.name)
    if call.name.startswith("python") and [w.text for w in call.words[1:3]] == ["-m", "pip"]:
        return True
    return subcommands == () or _subcommand(call) in (subcommands or ())


def needs_credentials(call: Call) -> bool:
    """Whether a command talks to a remote repository in the user's name."""
    return call.name == "git" and needs_network(call)


def is_destructive(call: Call) -> bool:
    """Whether a command may do what `undo` cannot take back: no slip of the tongue must allow it."""
    if call.name == "git":
        return _subcommand(call) in _GIT_DESTROYS
    is_published = _subcommand(call) in ("publish", "deploy") or "-delete" in (w.text for w in call.words)
    return call.name in _DESTROYERS or is_published or (needs_network(call) and call.name in ("ssh", "scp"))


def _subcommand(call: Call) -> str:
    return next((word.text for word in call.words[1:] if not word.text.startswith("-")), "")
