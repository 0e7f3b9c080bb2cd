# SPDX-License-Identifier: Apache-2.0
"""One loudspeaker: ``aplay`` in a process of its own, one sound at a time.

The law of the module: sound never holds a door up: to start a player stops the loop
for milliseconds, so that a yes sounds behind its strike. What is newer ends what is
older; what cannot be played is told once, until something can be played again. Files
are read and made quieter in a worker thread.
"""

from __future__ import annotations

import asyncio
import contextlib
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edge.cli.doorside.lamps import BEHIND_STRIKE_S
from edge.cli.doorside.tones import (
    Tone,
    as_wav,
    lowered,
    read_wav,
    samples_of,
    silence,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PLAYER = "aplay"
#: No sentence is longer; what still plays then hangs.
LONGEST_S = 30.0
#: How long a player may take to end before it is killed.
END_WITHIN_S = 0.5
#: Between a tone and its words, and between two rounds of a loop.
PAUSE_S = 0.15
#: What tells somebody that a lock opens for him.
_OPENING = frozenset({Tone.RISING, Tone.RISING_SLOWLY})
#: A loop whose sound fails tries again so often.
RETRY_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A tone, and recordings after it, each the first of its files that there is."""

    tone: Tone | None
    clips: tuple[tuple[Path, ...], ...] = ()

    @property
    def after_s(self) -> float:
        """How long it waits, so that the order to a strike goes first."""
        return BEHIND_STRIKE_S if self.tone in _OPENING else 0.0


class Speaker:
    """Plays at one device of the box; ``tell`` hears why something could not be."""

    def __init__(self, device: str, tell: Callable[[str], None]) -> None:
        self._device = device
        self._tell = tell
        self._told: set[str] = set()
        self._playing: asyncio.Task[None] | None = None
        #: Held until a player has let go of the sound card.
        self._card = asyncio.Lock()
        self.is_looping = False

    def play(self, sound: Sound, *, is_quiet: bool = False) -> None:
        """Play it now, once; it ends what plays, but never a loop."""
        if not self.is_looping:
            self._begin(sound, is_quiet=is_quiet, is_loop=False)

    def loop(self, sound: Sound) -> None:
        """Play it again and again at full volume, until :meth:`stop`."""
        if not self.is_looping:
            self.is_looping = True
            self._begin(sound, is_quiet=False, is_loop=True)

    def stop(self) -> None:
        """End the loop."""
        if self.is_looping:
            self.is_looping = False
            if self._playing is not None:
                self._playing.cancel()

    async def close(self) -> None:
        """End what plays, and its process."""
        self.is_looping = False
        if self._playing is not None:
            self._playing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._playing

    def _begin(self, sound: Sound, *, is_quiet: bool, is_loop: bool) -> None:
        if self._playing is not None:
            self._playing.cancel()
        work = self._work(sound, is_quiet=is_quiet, is_loop=is_loop)
        self._playing = asyncio.get_running_loop().create_task(work)

    async def _work(self, sound: Sound, *, is_quiet: bool, is_loop: bool) -> None:
        await asyncio.sleep(sound.after_s)
        async with self._card:
            is_sounding = await self._once(sound, is_quiet=is_quiet)
            while is_loop:
                await asyncio.sleep(PAUSE_S if is_sounding else RETRY_S)
                is_sounding = await self._once(sound, is_quiet=is_quiet)

    async def _once(self, sound: Sound, *, is_quiet: bool) -> bool:
        made = asyncio.to_thread(_file, sound, is_quiet=is_quiet)
        data, faults = await made
        for fault in faults:
            self._fail(fault)
        words = [PLAYER, "-q", "-D", self._device, "-t", "wav", "-"]
        pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            player = await asyncio.create_subprocess_exec(
                *words, stdin=pipe, stdout=nothing, stderr=pipe
            )
        except OSError as error:
            self._fail(f"{PLAYER} cannot be started ({error.strerror})")
            return False
        try:
            async with asyncio.timeout(LONGEST_S):
                _, errors = await player.communicate(data)
        except TimeoutError:
            self._fail(f"{PLAYER} took longer than {LONGEST_S:.0f} s")
            return False
        finally:
            await _end(player)
        if player.returncode:
            lines = errors.decode(errors="replace").strip().splitlines()
            self._fail(lines[-1] if lines else f"{PLAYER} failed")
            return False
        self._told = {each for each in self._told if each.startswith(_NO_FILE)}
        return True

    def _fail(self, why: str) -> None:
        """Tell a fault once: of all recordings that are missing, the first."""
        kind = _NO_FILE if why.startswith(_NO_FILE) else why
        if kind not in self._told:
            self._told.add(kind)
            self._tell(why)


_NO_FILE = "no recording"


def _file(sound: Sound, *, is_quiet: bool) -> tuple[bytes, list[str]]:
    """Return a whole sound, and which recordings it has to do without."""
    samples: array[int] = array("h")
    faults: list[str] = []
    if sound.tone is not None:
        samples.extend(samples_of(sound.tone))
    for paths in sound.clips:
        path = next((path for path in paths if path.is_file()), paths[-1])
        name = "/".join(path.parts[-2:])
        try:
            samples.extend(silence(PAUSE_S) + read_wav(path.read_bytes()))
        except FileNotFoundError:
            faults.append(f"{_NO_FILE} {name}: see docs/voice.md")
        except (OSError, ValueError) as fault:
            faults.append(f"{_NO_FILE} {name}: {fault}")
    return as_wav(lowered(samples) if is_quiet else samples), faults


async def _end(player: asyncio.subprocess.Process) -> None:
    """End a player that is still at it, whatever ends us."""
    if player.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        player.terminate()
    try:
        async with asyncio.timeout(END_WITHIN_S):
            await player.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            player.kill()
        await player.wait()
