"""Says the session's items in order, at a pace and loudness that can change, and tells what was heard.

`SpokenAloud` speaks through a device that may vanish and come back; `InPrint` is for those who read, or whose
screen reader does: there an item counts as heard when it can have been read.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from voice.audio.devices import AudioDeviceError
from voice.audio.earcons import Earcon, sound
from voice.audio.frames import Samples
from voice.audio.speaker import DeviceSink
from voice.audio.stretch import FASTEST, SLOWEST, TimeStretcher
from voice.speaking.synthesis import Synthesiser

_AHEAD_S = 0.8  # of speech given to the device: a change of pace is heard so soon
_POLL_S = 0.01
_GAP_S = 0.08  # of the silence that ends each item: when only that is left, all has been heard
_LETTER_S = 0.065  # of a text, when it is spoken
_READ_S = 0.25  # a word, by eye or by a slow screen reader
_SPEED_STEP, _VOLUME_STEP = 1.2, 1.4
_SOFTEST, _LOUDEST = 0.1, 4.0


class Listener(Protocol):
    """Is told as items sound."""

    def began(self, item: int) -> None:
        """The first of an item is heard at this moment."""
        ...

    def heard(self, item: int) -> None:
        """All of an item has been heard."""
        ...


class Player(Protocol):
    """Carries out what the session decides about speech."""

    def say(self, item: int, text: str) -> None: ...

    def pause(self) -> None: ...

    def resume(self) -> None: ...

    def cut(self) -> str:
        """Drop all; gives the words that were heard of what was not yet heard to its end."""
        ...

    def chime(self, earcon: Earcon) -> None: ...

    def faster(self, times: int) -> float:
        """So many steps faster, or slower if negative, 0 for the usual pace; gives the speed."""
        ...

    def louder(self, times: int) -> float:
        """So many steps louder, or softer; gives the gain."""
        ...

    def waiting_s(self) -> float | None:
        """Seconds of speech that have not been heard yet, about; None where nothing is spoken."""
        ...

    async def run(self) -> None:
        """Until cancelled."""
        ...


@dataclass
class _Item:
    number: int
    text: str
    start: int | None = None  # of its samples among those written since the last cut; None before that
    end: int | None = None  # None while it is being written
    has_begun: bool = False


class SpokenAloud:
    """`worker` is the one thread that the voice's model is used on."""

    def __init__(self, voice: Synthesiser, worker: Executor, listener: Listener) -> None:
        self._voice = voice
        self._worker = worker
        self._listener = listener
        self._sink: DeviceSink | None = None
        self._items: deque[_Item] = deque()  # not yet heard to their end
        self._written = 0  # samples since the last cut
        self._round = 0  # counts cuts
        self._is_paused = False
        self._stretcher = TimeStretcher(voice.sample_rate)
        self._speed = 1.0
        self._gain = 1.0
        self._changed = asyncio.Event()

    @property
    def sample_rate(self) -> int:
        """Of the voice, in Hz."""
        return self._voice.sample_rate

    def attach(self, sink: DeviceSink | None) -> None:
        """Speak through `sink` from now on, from the first item that was not heard; None: it is gone."""
        self._sink = sink
        self._start_over(self._items)
        if sink is not None and self._is_paused:
            sink.pause()

    def change_voice(self, voice: Synthesiser) -> None:
        """Speak in another voice of the same rate, from the next sentence on."""
        self._voice = voice

    def say(self, item: int, text: str) -> None:
        self._items.append(_Item(item, text))
        self._changed.set()

    def pause(self) -> None:
        self._is_paused = True
        if self._sink is not None:
            self._sink.pause()

    def resume(self) -> None:
        self._is_paused = False
        if self._sink is not None:
            self._sink.resume()

    def cut(self) -> str:
        heard = self._heard_of_rest()
        self._is_paused = False
        self._start_over(())
        return heard

    def chime(self, earcon: Earcon) -> None:
        if self._sink is not None:
            self._sink.chime(sound(earcon, self._sink.clock_rate))

    def faster(self, times: int) -> float:
        self._speed = _stepped(self._speed, times, _SPEED_STEP, SLOWEST, FASTEST)
        return self._speed

    def louder(self, times: int) -> float:
        self._gain = _stepped(self._gain, times, _VOLUME_STEP, _SOFTEST, _LOUDEST)
        return self._gain

    def waiting_s(self) -> float | None:
        if self._sink is None:
            return None
        unmade = sum(len(item.text) for item in self._items if item.start is None)
        made = self._written - (self._sink.heard_samples if self._items else self._written)
        return max(0, made) / self._voice.sample_rate + unmade * _LETTER_S / self._speed

    async def run(self) -> None:
        tasks = [asyncio.create_task(self._speak_all()), asyncio.create_task(self._watch())]
        try:
            await asyncio.gather(*tasks)  # what goes wrong in one of them ends both, and is told
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # ------------------------------------------------------------------------------------------ speaking

    async def _speak_all(self) -> None:
        while True:
            item = next((one for one in self._items if one.end is None), None)
            if item is None or self._sink is None:
                self._changed.clear()
                await self._changed.wait()
                continue
            await self._speak(item)

    async def _speak(self, item: _Item) -> None:
        """Synthesise an item and write it, a little ahead of what is heard."""
        this_round, loop = self._round, asyncio.get_running_loop()
        item.start = self._written
        pieces = self._voice.synthesise(item.text)
        self._stretcher.flush()  # what is left of an item that was cut
        text = item.text
        making = loop.run_in_executor(self._worker, _next, pieces)
        try:
            while (piece := await making) is not None:
                if this_round != self._round:
                    return
                self._stretcher.speed = self._speed
                paced = await loop.run_in_executor(self._worker, self._stretcher.process, piece)
                making = loop.run_in_executor(self._worker, _next, pieces)  # while this one is heard
                if this_round != self._round or not await self._write(_louder(paced, self._gain), text):
                    return
                text = "" if len(paced) else text
        finally:
            making.cancel()  # of what was cut, nobody wants the rest
        if this_round != self._round:
            return
        if await self._write(_louder(self._stretcher.flush(), self._gain), text):
            item.end = self._written

    async def _write(self, samples: Samples, text: str) -> bool:
        this_round, sink = self._round, self._sink
        if sink is None:
            return False
        step = self._voice.sample_rate // 2
        for start in range(0, len(samples), step):
            if not await self._has_room(this_round):
                return False
            try:
                await sink.write(samples[start : start + step], "" if start else text)
            except AudioDeviceError:
                return False  # whoever watches the devices attaches another one
            if this_round != self._round:
                return False
            self._written += len(samples[start : start + step])
        return True

    async def _has_room(self, this_round: int) -> bool:
        """Wait until little enough is queued; False when all was dropped meanwhile."""
        while this_round == self._round:
            heard = 0 if self._sink is None else self._sink.heard_samples
            if self._written - heard <= _AHEAD_S * self._voice.sample_rate:
                return True
            await asyncio.sleep(_POLL_S)
        return False

    # --------------------------------------------------------------------------------------------- hearing

    async def _watch(self) -> None:
        while True:
            if not self._items:
                await self._changed.wait()
            await asyncio.sleep(_POLL_S)
            self._tell_heard()

    def _tell_heard(self) -> None:
        if self._sink is None or not self._sink.is_alive:
            return
        heard = self._sink.heard_samples
        gap = int(_GAP_S * self._voice.sample_rate)
        while self._items:
            item = self._items[0]
            if item.start is None:
                return
            if not item.has_begun and heard > item.start and self._written > item.start:
                item.has_begun = True
                self._listener.began(item.number)
            if item.end is None or heard < item.end - gap:
                return
            self._items.popleft()
            if not self._items:
                self._start_over(())  # the account begins anew, and does not grow for ever
            self._listener.heard(item.number)

    def _heard_of_rest(self) -> str:
        """Of the items that are still there, the words that were heard; time is shared out by letters."""
        if self._sink is None or not self._items:
            return ""
        heard, words = self._sink.heard_samples, list[str]()
        for item in self._items:
            end = self._written if item.end is None else item.end
            if item.start is None or heard <= item.start or end <= item.start:
                break
            said = item.text.split()
            words += said[: int(len(said) * min(1.0, (heard - item.start) / (end - item.start)))]
        return " ".join(words)

    def _start_over(self, items: deque[_Item] | tuple[_Item, ...]) -> None:
        """Drop what is queued in the device; `items` are to be said from their beginning."""
        self._round += 1
        self._written = 0
        self._items = deque(_Item(item.number, item.text) for item in items)
        if self._sink is not None:
            self._sink.clear()
        self._changed.set()


class InPrint:
    """Speaks nothing: what is said is on the screen. Sounds still sound where there is a device."""

    def __init__(self, listener: Listener, *, chimes: bool = True) -> None:
        """With `chimes` off, short sounds are in print alone too."""
        self._listener = listener
        self._chimes = chimes
        self._sink: DeviceSink | None = None
        self._items: deque[tuple[int, str]] = deque()
        self._changed = asyncio.Event()
        self._going = asyncio.Event()
        self._going.set()

    def attach(self, sink: DeviceSink | None) -> None:
        """Sound through `sink` from now on."""
        self._sink = sink

    def say(self, item: int, text: str) -> None:
        self._items.append((item, text))
        self._changed.set()

    def pause(self) -> None:
        self._going.clear()

    def resume(self) -> None:
        self._going.set()

    def cut(self) -> str:
        self._items.clear()
        self._going.set()
        return ""

    def chime(self, earcon: Earcon) -> None:
        if self._chimes and self._sink is not None:
            self._sink.chime(sound(earcon, self._sink.clock_rate))

    def faster(self, times: int) -> float:
        return 1.0

    def louder(self, times: int) -> float:
        return 1.0

    def waiting_s(self) -> float | None:
        return None

    async def run(self) -> None:
        while True:
            if not self._items:
                self._changed.clear()
                await self._changed.wait()
                continue
            first = self._items[0]
            self._listener.began(first[0])
            await asyncio.sleep(_READ_S * len(first[1].split()))
            await self._going.wait()
            if self._items and self._items[0] is first:
                self._items.popleft()
                self._listener.heard(first[0])


def _stepped(value: float, times: int, step: float, least: float, most: float) -> float:
    return 1.0 if not times else min(most, max(least, value * step**times))


def _louder(samples: Samples, gain: float) -> Samples:
    return samples if gain == 1.0 else np.tanh(samples * np.float32(gain)).astype(np.float32)


def _next(pieces: Iterator[Samples]) -> Samples | None:
    return next(pieces, None)
