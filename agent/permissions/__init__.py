"""What a tool may do without asking, asked about, or never."""

from agent.permissions.decide import decide
from agent.permissions.decision import Action, Allow, Ask, Decision, Deny, Ground, Kind, Mode
from agent.permissions.secret_names import is_git_internal, is_secret

__all__ = [
    "Action",
    "Allow",
    "Ask",
    "Decision",
    "Deny",
    "Ground",
    "Kind",
    "Mode",
    "decide",
    "is_git_internal",
    "is_secret",
]
