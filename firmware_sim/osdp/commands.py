# SPDX-License-Identifier: Apache-2.0
"""What the panel's commands do to the front of an OSDP reader.

The law of the module: a command is carried out whole or not at all; what does not fit
is refused with the reason of the standard.
Source: libosdp 3.2.9 src/osdp_cp.c (layouts) and include/osdp.h (meanings). A timer of
0 is taken for "until told otherwise" (recollection of the standard).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firmware_sim.osdp.frames import Code, Refusal, Reply
from firmware_sim.osdp.front import COLOURS, FOR_EVER, TICK_S, Pattern

if TYPE_CHECKING:
    from firmware_sim.osdp.front import Front, Lamp, Output

_OUTPUT_BYTES, _LAMP_BYTES, _BUZZER_BYTES, _TEXT_HEAD_BYTES = 4, 14, 5, 6
_LAST_OUTPUT_CODE = 6
_TONE_DEFAULT = 2
_CANCEL, _SET = 1, 2
_LASTING_TEXT, _PASSING_TEXT = (1, 2), (3, 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A reply before it is framed, its data in clear."""

    code: Reply
    data: bytes = b""


ACK = Answer(code=Reply.ACK)


def refused(why: int) -> Answer:
    """Return a NAK."""
    return Answer(code=Reply.NAK, data=bytes((why,)))


def act(front: Front, code: int, data: bytes, now: float) -> Answer:
    """Let the front do what OUT, LED, BUZ or TEXT asks; refuse any other command."""
    match code:
        case Code.OUT:
            return _switch(front, data, now)
        case Code.LED:
            return _light(front, data, now)
        case Code.BUZ:
            return _sound(front, data, now)
        case Code.TEXT:
            return _write(front, data, now)
        case _:
            return refused(Refusal.COMMAND)


def _switch(front: Front, data: bytes, now: float) -> Answer:
    records = _records(data, _OUTPUT_BYTES)
    if not records:
        return refused(Refusal.LENGTH)
    if any(
        one[0] >= len(front.outputs) or one[1] > _LAST_OUTPUT_CODE for one in records
    ):
        return refused(Refusal.RECORD)
    for number, control, *timer in records:
        _switch_one(front.outputs[number], control, _end(bytes(timer), now), now)
    return ACK


def _switch_one(output: Output, control: int, until: float, now: float) -> None:
    match control:
        case 1 | 2:
            output.set_lasting(is_on=control == 2, at=now, ends_passing=True)
        case 3 | 4:
            output.set_lasting(is_on=control == 4, at=now, ends_passing=False)
        case 5 | 6:
            output.set_passing(is_on=control == 5, at=now, until=until)


def _light(front: Front, data: bytes, now: float) -> Answer:
    records = _records(data, _LAMP_BYTES)
    if not records:
        return refused(Refusal.LENGTH)
    if not all(_fits_lamp(record, len(front.lamps)) for record in records):
        return refused(Refusal.RECORD)
    for record in records:
        _light_one(front.lamps[record[1]], record, now)
    return ACK


def _fits_lamp(record: bytes, lamps: int) -> bool:
    colours = (*record[5:7], *record[12:14])
    known = all(colour < len(COLOURS) for colour in colours)
    return known and record[0] == 0 and record[1] < lamps


def _light_one(lamp: Lamp, record: bytes, now: float) -> None:
    """Set what lasts first, so that a lamp does not flicker between the two."""
    if record[9]:
        lamp.set_lasting(_pattern(record[10:14]), now)
    if record[2] == _CANCEL:
        lamp.set_passing(None, now, FOR_EVER)
    elif record[2] == _SET:
        lamp.set_passing(_pattern(record[3:7]), now, _end(record[7:9], now))


def _pattern(fields: bytes) -> Pattern:
    on, off, on_colour, off_colour = fields
    return Pattern(
        on=COLOURS[on_colour],
        off=COLOURS[off_colour],
        on_s=on * TICK_S,
        off_s=off * TICK_S,
    )


def _sound(front: Front, data: bytes, now: float) -> Answer:
    if len(data) != _BUZZER_BYTES:
        return refused(Refusal.LENGTH)
    reader, tone, on, off, count = data
    if reader or tone > _TONE_DEFAULT:
        return refused(Refusal.RECORD)
    if tone == _TONE_DEFAULT:
        front.buzzer.sound(on * TICK_S, off * TICK_S, count, now)
    else:
        front.buzzer.hush(now)
    return ACK


def _write(front: Front, data: bytes, now: float) -> Answer:
    if front.screen is None:
        return refused(Refusal.COMMAND)
    if len(data) < _TEXT_HEAD_BYTES or data[5] != len(data) - _TEXT_HEAD_BYTES:
        return refused(Refusal.LENGTH)
    reader, how, seconds = data[:3]
    text = data[_TEXT_HEAD_BYTES:].decode("ascii", errors="replace")
    if reader or how not in _LASTING_TEXT + _PASSING_TEXT:
        return refused(Refusal.RECORD)
    is_lasting = how in _LASTING_TEXT
    front.screen.show(text, now, until=None if is_lasting else now + seconds)
    return ACK


def _records(data: bytes, size: int) -> list[bytes]:
    """Return the records; none if the data do not end with one."""
    if len(data) % size:
        return []
    return [data[start : start + size] for start in range(0, len(data), size)]


def _end(timer: bytes, now: float) -> float:
    ticks = int.from_bytes(timer, "little")
    return now + ticks * TICK_S if ticks else FOR_EVER
