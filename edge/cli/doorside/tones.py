# SPDX-License-Identifier: Apache-2.0
"""The tones of a door, made of numbers, and sound as the loudspeaker takes it.

The law of the module: pure. Yes rises, no is low and even, and their numbers and
lengths differ too, so that they can be told apart by who hears but one pitch. All
sound is 16 kHz, one channel, 16 bits.
"""

from __future__ import annotations

import io
import math
import wave
from array import array
from enum import StrEnum
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

RATE_HZ = 16_000
_LOUD = 9_000
#: Each note swells and fades for so long, or it would click.
_EDGE_S = 0.008


class Tone(StrEnum):
    """What a door sounds, before any word."""

    TICK = "tick"
    RISING = "rising"
    RISING_SLOWLY = "rising_slowly"
    LOW = "low"
    TICKS = "ticks"
    SOFT = "soft"
    LEAVE = "leave"


#: Pitch in Hz (0 is a pause) and seconds, note by note.
NOTES: Mapping[Tone, tuple[tuple[int, float], ...]] = MappingProxyType(
    {
        Tone.TICK: ((1_400, 0.06),),
        Tone.RISING: ((660, 0.2), (990, 0.2)),
        Tone.RISING_SLOWLY: ((660, 0.2), (990, 0.2), (1_320, 0.4)),
        Tone.LOW: ((300, 0.3), (0, 0.1), (300, 0.3)),
        Tone.TICKS: ((1_400, 0.06), (0, 0.08)) * 3,
        Tone.SOFT: ((520, 0.25),),
        Tone.LEAVE: ((600, 0.5), (900, 0.5)) * 3,
    }
)


@cache
def samples_of(tone: Tone) -> array[int]:
    """Return a tone's samples."""
    made: array[int] = array("h")
    for pitch_hz, seconds in NOTES[tone]:
        made.extend(_note(pitch_hz, int(seconds * RATE_HZ)))
    return made


def silence(seconds: float) -> array[int]:
    """Return a pause."""
    return array("h", bytes(2 * int(seconds * RATE_HZ)))


def _note(pitch_hz: int, count: int) -> Iterable[int]:
    edge = int(_EDGE_S * RATE_HZ)
    step = 2 * math.pi * pitch_hz / RATE_HZ
    for at in range(count):
        swell = min(1.0, at / edge, (count - at) / edge)
        yield int(_LOUD * swell * math.sin(step * at))


def lowered(samples: array[int]) -> array[int]:
    """Return the same a quarter as loud."""
    return array("h", [sample >> 2 for sample in samples])


def as_wav(samples: array[int]) -> bytes:
    """Return a whole file of it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE_HZ)
        sound.writeframes(samples.tobytes())
    return file.getvalue()


def read_wav(data: bytes) -> array[int]:
    """Return a file's samples; ValueError says what it has to be instead."""
    try:
        with wave.open(io.BytesIO(data), "rb") as sound:
            shape = sound.getnchannels(), sound.getsampwidth(), sound.getframerate()
            frames = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"not a WAV file: {error}") from error
    if shape != (1, 2, RATE_HZ):
        raise ValueError("not 16 kHz, one channel, 16 bits: use `menshen voice add`")
    return array("h", frames[: len(frames) // 2 * 2])


def converted(data: bytes) -> array[int]:
    """Return what any WAV file of 16 bits holds, brought to our rate and channel.

    ValueError says what it has to be instead.
    """
    try:
        with wave.open(io.BytesIO(data), "rb") as sound:
            channels, width = sound.getnchannels(), sound.getsampwidth()
            rate_hz = sound.getframerate()
            frames = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError) as error:
        raise ValueError(f"not a WAV file: {error}") from error
    if width != 2 or not channels or not rate_hz:
        raise ValueError("not a WAV file of 16 bits: save it as such")
    whole = array("h", frames[: len(frames) // (2 * channels) * (2 * channels)])
    one = [
        sum(whole[at : at + channels]) // channels
        for at in range(0, len(whole), channels)
    ]
    return _resampled(one, rate_hz)


def _resampled(samples: list[int], rate_hz: int) -> array[int]:
    """Return them at our rate, each between its two neighbours."""
    count = len(samples) * RATE_HZ // rate_hz
    made: array[int] = array("h")
    for at in range(count):
        whole, part = divmod(at * rate_hz, RATE_HZ)
        here = samples[whole]
        after = samples[min(whole + 1, len(samples) - 1)]
        made.append(here + (after - here) * part // RATE_HZ)
    return made
