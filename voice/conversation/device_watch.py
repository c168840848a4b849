"""Looks for sound devices again as soon as one is gone, and tells by voice when there is one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from voice.audio.duplex import Duplex, Present

_LOOK_S, _LOOK_AGAIN_S = 0.2, 0.5
_GONE = {
    Present(microphone=True, speaker=False): "I hear you, but there is no loudspeaker.",
    Present(microphone=False, speaker=True): "The microphone is gone. I go on as soon as there is one.",
    Present(microphone=False, speaker=False): "The microphone and the loudspeaker are gone.",
}
_BACK = "The sound is back, and I hear you."
_MOVED = "I go on with the sound device that is the default one now."


async def watch_devices(duplex: Duplex, notice: Callable[[str], None], reopened: Callable[[], None]) -> None:
    """Until cancelled; `notice` gets what to say, `reopened` is called when frames may come again."""
    was_whole = True
    while True:
        await asyncio.sleep(_LOOK_S)
        if duplex.is_whole():
            continue
        has_moved = duplex.has_moved
        present = await duplex.reopen()
        reopened()
        is_whole = present not in _GONE
        if is_whole:
            notice(_MOVED if has_moved else _BACK)
        elif was_whole:
            notice(_GONE[present])
        was_whole = is_whole
        await asyncio.sleep(0.0 if is_whole else _LOOK_AGAIN_S)
