"""Reads the settings file."""

DEFAULTS = {"loan_days": 21, "fee_per_day": 0.25, "reminders": True}


def parse_config(text):
    """Turn `key = value` lines into a dictionary; unknown keys are an error, missing ones get defaults."""
    settings = dict(DEFAULTS)
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        key, separator, value = line.partition("=")
        key = key.strip()
        if not separator or key not in DEFAULTS:
            raise ValueError(f"line {number}: unknown setting {key!r}")
        settings[key] = convert(value.strip(), type(DEFAULTS[key]))
    return settings


def convert(value, kind):
    """Convert a setting's text to a bool, an int or a float."""
    if kind is bool:
        return value.lower() in ("yes", "true", "on", "1")
    return kind(value)
