# SPDX-License-Identifier: Apache-2.0
"""What a UHPPOTE controller answers to each function.

The law of the module: a table from function to answer; an answer is fields at their
offsets, or None for silence. What destroys needs the magic word. A door that is not
there, an impossible time and an unknown function are met with silence (unverified).

Source: uhppoted/uhppote-core, messages/*.go; uhppoted/uhppote-simulator README.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firmware_sim.uhppote import packets as wire
from firmware_sim.uhppote.cards import (
    DELETED,
    DOORS,
    MAX_PIN,
    Card,
    Profile,
)
from firmware_sim.uhppote.doors import DoorMode
from firmware_sim.uhppote.events import NOTHING, Reason
from firmware_sim.uhppote.packets import Function

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from firmware_sim.uhppote.board import UhppoteBoard
    from firmware_sim.uhppote.doors import DoorPost
    from firmware_sim.uhppote.packets import Packet

#: Off, pairs of doors, all doors, and two more groupings.
MAX_ANTIPASSBACK = 4
Fields = dict[int, bytes]
Answer = Fields | None


def answer(board: UhppoteBoard, packet: Packet, now: float) -> Answer:
    """Carry a packet out; return what stands in the reply, None for silence."""
    carry_out = _TABLE.get(packet.function)
    return None if carry_out is None else carry_out(board, packet, now)


def status(board: UhppoteBoard, event: Fields, now: float) -> Fields:
    """Return a status with an event in it: the answer to 20, and what is told."""
    shown = board.clock.read(now)
    posts = [board.posts.get(number) for number in range(1, DOORS + 1)]
    relays = sum(1 << at for at, post in enumerate(posts) if post and post.relay_is_on)
    return event | {
        28: wire.flags(*(bool(post and post.is_open) for post in posts)),
        32: wire.flags(*(bool(post and post.is_pressed) for post in posts)),
        37: wire.seconds_of_day(shown),
        49: wire.number(relays),
        51: wire.short_day(shown),
    }


def _status(board: UhppoteBoard, _packet: Packet, now: float) -> Answer:
    return status(board, board.ring.newest.fields(), now)


# -- time and doors ----------------------------------------------------------------


def _set_time(board: UhppoteBoard, packet: Packet, now: float) -> Answer:
    shown = packet.moment(8)
    if shown is None:
        return None
    board.clock.set(shown, now)
    return _time(shown)


def _get_time(board: UhppoteBoard, _packet: Packet, now: float) -> Answer:
    return _time(board.clock.read(now))


def _time(shown: datetime) -> Fields:
    return {8: wire.moment(shown)}


def _open_door(board: UhppoteBoard, packet: Packet, now: float) -> Answer:
    door = packet.number(8)
    post = board.posts.get(door)
    if post is None:
        return _ok(is_done=False)
    is_done = post.release(now)
    if is_done:
        board.note(Reason.REMOTE_OPEN, now, door=door)
    return _ok(is_done=is_done)


def _set_door(board: UhppoteBoard, packet: Packet, now: float) -> Answer:
    post, mode = board.posts.get(packet.number(8)), packet.number(9)
    if post is None:
        return None
    if mode in tuple(DoorMode) and packet.number(10):
        post.release_s = packet.number(10)
        post.set_mode(DoorMode(mode), now)
    return _door(packet, post)


def _get_door(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    post = board.posts.get(packet.number(8))
    return None if post is None else _door(packet, post)


def _door(packet: Packet, post: DoorPost) -> Fields:
    return {
        8: packet.raw[8:9],
        9: wire.number(post.mode),
        10: wire.number(post.release_s),
    }


def _set_passcodes(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    door = packet.number(8)
    if door not in board.posts:
        return _ok(is_done=False)
    codes = (packet.number(at, 4) for at in range(12, 28, 4))
    board.passcodes[door] = tuple(code if code <= MAX_PIN else 0 for code in codes)
    return _ok()


# -- cards and profiles ------------------------------------------------------------


def _put_card(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    card = Card.read(packet)
    return _ok(is_done=card is not None and board.cards.put(card))


def _delete_card(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    return _ok(is_done=board.cards.delete(packet.number(8, 4)))


def _delete_all_cards(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    if packet.is_magic(8):
        board.cards.clear()
    return _ok(is_done=packet.is_magic(8))


def _count_cards(board: UhppoteBoard, _packet: Packet, _now: float) -> Answer:
    return {8: wire.number(len(board.cards), 4)}


def _get_card(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    card = board.cards.get(packet.number(8, 4))
    return card.fields() if card else {}


def _get_card_at(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    card = board.cards.at(packet.number(8, 4))
    if isinstance(card, Card):
        return card.fields()
    return {8: wire.number(DELETED, 4)} if card else {}


def _set_profile(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    profile = Profile.read(packet)
    if profile is not None:
        board.profiles[profile.number] = profile
    return _ok(is_done=profile is not None)


def _get_profile(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    profile = board.profiles.get(packet.number(8))
    return profile.fields() if profile else {}


def _clear_profiles(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    if packet.is_magic(8):
        board.profiles.clear()
    return _ok(is_done=packet.is_magic(8))


# -- events and who decides --------------------------------------------------------


def _record_special(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    board.records_special = packet.flag(8)
    return _ok()


def _get_event(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    event = board.ring.at(packet.number(8, 4))
    return {} if event is NOTHING else event.fields()


def _set_event_index(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    if packet.is_magic(12):
        board.ring.host_index = packet.number(8, 4)
    return _ok(is_done=packet.is_magic(12))


def _get_event_index(board: UhppoteBoard, _packet: Packet, _now: float) -> Answer:
    return {8: wire.number(board.ring.host_index, 4)}


def _pc_control(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    if packet.is_magic(8):
        board.is_pc_controlled = packet.flag(12)
    return _ok(is_done=packet.is_magic(8))


def _set_keypads(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    board.keypads = tuple(packet.flag(8 + at) for at in range(len(board.posts)))
    return _ok()


def _set_antipassback(board: UhppoteBoard, packet: Packet, _now: float) -> Answer:
    is_done = packet.number(8) <= MAX_ANTIPASSBACK
    if is_done:
        board.antipassback = packet.number(8)
    return _ok(is_done=is_done)


def _get_antipassback(board: UhppoteBoard, _packet: Packet, _now: float) -> Answer:
    return {8: wire.number(board.antipassback)}


def _restore(board: UhppoteBoard, packet: Packet, now: float) -> Answer:
    if packet.is_magic(8):
        board.restore()
        for post in board.posts.values():
            post.release_s = board.settings.release_s
            post.set_mode(DoorMode.CONTROLLED, now)
    return _ok(is_done=packet.is_magic(8))


def _keep(_board: UhppoteBoard, _packet: Packet, _now: float) -> Answer:
    """Say yes to what has no effect here."""
    return _ok()


def _ok(*, is_done: bool = True) -> Fields:
    return {8: wire.flags(is_done)}


_TABLE: dict[int, Callable[[UhppoteBoard, Packet, float], Answer]] = {
    Function.STATUS: _status,
    Function.SET_TIME: _set_time,
    Function.GET_TIME: _get_time,
    Function.OPEN_DOOR: _open_door,
    Function.PUT_CARD: _put_card,
    Function.DELETE_CARD: _delete_card,
    Function.DELETE_ALL_CARDS: _delete_all_cards,
    Function.COUNT_CARDS: _count_cards,
    Function.GET_CARD: _get_card,
    Function.GET_CARD_AT: _get_card_at,
    Function.SET_DOOR: _set_door,
    Function.GET_DOOR: _get_door,
    Function.SET_ANTIPASSBACK: _set_antipassback,
    Function.GET_ANTIPASSBACK: _get_antipassback,
    Function.SET_PROFILE: _set_profile,
    Function.GET_PROFILE: _get_profile,
    Function.CLEAR_PROFILES: _clear_profiles,
    Function.SET_PASSCODES: _set_passcodes,
    Function.RECORD_SPECIAL: _record_special,
    Function.PC_CONTROL: _pc_control,
    Function.SET_INTERLOCK: _keep,
    Function.SET_KEYPADS: _set_keypads,
    Function.CLEAR_TASKS: _keep,
    Function.ADD_TASK: _keep,
    Function.SET_FIRST_CARD: _keep,
    Function.REFRESH_TASKS: _keep,
    Function.GET_EVENT: _get_event,
    Function.SET_EVENT_INDEX: _set_event_index,
    Function.GET_EVENT_INDEX: _get_event_index,
    Function.RESTORE: _restore,
}
