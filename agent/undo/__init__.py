"""Taking back what a request did to the files, whichever way it was done, and doing it again."""

from agent.undo.states import Written
from agent.undo.store import Limits, UndoTrouble
from agent.undo.timeline import Restored, Timeline, Unable

__all__ = ["Limits", "Restored", "Timeline", "Unable", "UndoTrouble", "Written"]
