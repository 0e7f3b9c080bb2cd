# SPDX-License-Identifier: Apache-2.0
"""A loudspeaker plays one thing at a time and tells once what it cannot play."""

from __future__ import annotations

import asyncio
import os
import wave
from typing import TYPE_CHECKING

import pytest

from edge.cli.doorside import tones
from edge.cli.doorside.lamps import BEHIND_STRIKE_S
from edge.cli.doorside.speaker import Sound, Speaker
from edge.cli.doorside.tones import Tone, as_wav, converted, read_wav, samples_of
from tests.edge.at_work import until

if TYPE_CHECKING:
    from pathlib import Path

#: Stands in for alsa-utils where there is no sound card: notes what it was given.
PLAYER = """#!/bin/sh
echo "begin $*" >> {log}
cat > {folder}/sound-$$.wav
{then}
echo "end" >> {log}
"""


class Room:
    """A folder with a player, what was heard in it and what was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        self.told: list[str] = []
        self.speaker = Speaker("hall", self.told.append)

    def player(self, then: str = "") -> None:
        path = self.folder / "aplay"
        text = PLAYER.format(log=self.log, folder=self.folder, then=then)
        path.write_text(text, encoding="ascii")
        path.chmod(0o755)

    def lines(self) -> list[str]:
        return self.log.read_text(encoding="ascii").split("\n")[:-1]

    def begun(self) -> int:
        if not self.log.exists():
            return 0
        return sum(line.startswith("begin") for line in self.lines())

    def ended(self) -> int:
        return self.lines().count("end") if self.log.exists() else 0

    def seconds(self) -> list[float]:
        found = []
        for path in sorted(self.folder.glob("sound-*.wav")):
            with wave.open(str(path)) as sound:
                found.append(sound.getnframes() / sound.getframerate())
        return found

    def clip(self, seconds: float = 0.5) -> Path:
        path = self.folder / "en" / "full.wav"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(as_wav(tones.silence(seconds)))
        return path


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Room:
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return Room(tmp_path)


async def test_a_tone_and_its_words_are_one_sound(room: Room) -> None:
    room.player()
    room.speaker.play(Sound(tone=Tone.LOW, clips=((room.clip(),),)))
    await until(lambda: room.ended() == 1)
    assert room.lines()[0] == "begin -q -D hall -t wav -"
    assert room.seconds() == [pytest.approx(0.7 + 0.15 + 0.5, abs=0.01)]
    await room.speaker.close()
    assert room.told == []


@pytest.mark.parametrize("tone", [Tone.RISING, Tone.RISING_SLOWLY])
async def test_a_yes_sounds_behind_its_strike(room: Room, tone: Tone) -> None:
    room.player()
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    room.speaker.play(Sound(tone=tone))
    await until(lambda: room.begun() == 1)
    assert loop.time() - begun_s >= BEHIND_STRIKE_S
    await until(lambda: room.ended() == 1)
    room.speaker.play(Sound(tone=tone))
    await room.speaker.close()
    assert room.begun() == 1, "what waits is forgotten"


async def test_the_newer_ends_the_older(room: Room) -> None:
    room.player(then="exec sleep 20")
    room.speaker.play(Sound(tone=Tone.LOW))
    await until(lambda: room.begun() == 1)
    room.player()
    room.speaker.play(Sound(tone=Tone.RISING))
    await until(lambda: room.ended() == 1)
    assert room.begun() == 2
    await room.speaker.close()


async def test_many_at_once_leave_the_last_alone(room: Room) -> None:
    room.player()
    for _ in range(20):
        room.speaker.play(Sound(tone=Tone.LOW))
    room.speaker.play(Sound(tone=Tone.TICK))
    await until(lambda: room.ended() == 1)
    assert room.seconds() == [pytest.approx(0.06, abs=0.01)]
    await room.speaker.close()


async def test_a_loop_goes_on_and_nothing_speaks_over_it(room: Room) -> None:
    room.player()
    room.speaker.loop(Sound(tone=Tone.TICK))
    room.speaker.loop(Sound(tone=Tone.TICK))
    await until(lambda: room.ended() >= 3)
    room.speaker.play(Sound(tone=Tone.LOW))
    room.speaker.stop()
    await asyncio.sleep(0.05)
    begun = room.begun()
    await asyncio.sleep(0.4)
    assert room.begun() == begun
    room.speaker.play(Sound(tone=Tone.TICK))
    await until(lambda: room.begun() == begun + 1)
    await room.speaker.close()


async def test_a_sound_card_that_is_not_there_is_told_once(room: Room) -> None:
    room.player(then="echo 'audio open error: No such device' >&2; exit 1")
    for turn in range(3):
        room.speaker.play(Sound(tone=Tone.TICK))
        await until(lambda turn=turn: room.begun() == turn + 1)  # type: ignore[misc]
        await asyncio.sleep(0.05)
    await until(lambda: bool(room.told))
    assert room.told == ["audio open error: No such device"]
    await room.speaker.close()


async def test_a_missing_player_is_told_once(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(room.folder))
    for _ in range(3):
        room.speaker.play(Sound(tone=Tone.TICK))
        await asyncio.sleep(0.05)
    await until(lambda: bool(room.told))
    assert room.told == ["aplay cannot be started (No such file or directory)"]
    await room.speaker.close()


async def test_a_missing_recording_leaves_the_tone_and_is_told_once(room: Room) -> None:
    room.player()
    for turn, word in enumerate(("full", "closed", "full")):
        clip = (room.folder / "yue" / f"{word}.wav",)
        room.speaker.play(Sound(tone=Tone.TICK, clips=(clip,)))
        await until(lambda turn=turn: room.ended() == turn + 1)  # type: ignore[misc]
    assert room.told == ["no recording yue/full.wav: see docs/voice.md"]
    await room.speaker.close()


async def test_a_recording_of_another_kind_says_what_to_do(room: Room) -> None:
    room.player()
    path = room.clip()
    path.write_bytes(path.read_bytes()[:20])
    room.speaker.play(Sound(tone=None, clips=((path,),)))
    await until(lambda: bool(room.told))
    assert room.told[0].startswith("no recording en/full.wav: not a WAV file")
    await room.speaker.close()


async def test_it_is_a_quarter_as_loud_at_night(room: Room) -> None:
    room.player()
    room.speaker.play(Sound(tone=Tone.LOW), is_quiet=True)
    await until(lambda: room.ended() == 1)
    [path] = room.folder.glob("sound-*.wav")
    played = read_wav(path.read_bytes())
    assert max(played) == max(samples_of(Tone.LOW)) >> 2
    await room.speaker.close()


def test_yes_and_no_differ_in_pitch_length_and_number() -> None:
    notes = tones.NOTES
    yes, no = notes[Tone.RISING], notes[Tone.LOW]
    assert yes[0][0] < yes[1][0]
    assert {pitch for pitch, _ in no if pitch} == {300}
    seconds = {tone: sum(each for _, each in notes[tone]) for tone in notes}
    assert len({round(each, 3) for each in seconds.values()}) == len(notes)


@pytest.mark.parametrize(
    ("rate_hz", "channels"), [(44_100, 2), (8_000, 1), (16_000, 1)]
)
def test_any_recording_of_16_bits_is_brought_to_ours(
    tmp_path: Path, rate_hz: int, channels: int
) -> None:
    path = tmp_path / "phone.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(2)
        sound.setframerate(rate_hz)
        sound.writeframes(b"\x10\x20" * channels * (rate_hz // 2))
    ours = converted(path.read_bytes())
    assert len(ours) == tones.RATE_HZ // 2
    assert set(ours) == {0x2010}
    with pytest.raises(ValueError, match="not a WAV file"):
        converted(b"ID3 music")
