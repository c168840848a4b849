"""The one base of all errors that are meant for the user's eyes and ears."""


class UtterError(Exception):
    """Says what happened, to which file or device, and what to do now. Shown without a traceback."""
