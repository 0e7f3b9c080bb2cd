# SPDX-License-Identifier: Apache-2.0
"""What the identity-card driver never asks for, never hands on and never keeps."""

from __future__ import annotations

import gc
from dataclasses import fields

import pytest

from drivers.device import CardRead, CardUnreadable, Cue, Garbled, Show, UnreadableCause
from drivers.id_card.sam_wire import Command
from drivers.id_card.text import CardText
from tests.drivers.sam_wire import (
    FIND,
    FOUND,
    MODULE,
    READ,
    REPLIES,
    SELECT,
    STATUS,
    failure,
    put,
    serving,
    take_away,
)
from tests.drivers.vectors import frames, persons

NEWEST_ADDRESS_ASKED = "AAAAAA96690003300330"
[NEWEST_ADDRESS] = [
    vector.frame.hex() for vector in frames("id_card_sam") if len(vector.frame) == 81
]
NO_ADDRESS = failure(0x91)


def kept_bytes(root: object) -> list[bytes]:
    """All bytes that can be reached from an object, but not through code."""
    seen: set[int] = set()
    waiting, found = [root], []
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen or isinstance(thing, type) or callable(thing):
            continue
        seen.add(id(thing))
        if isinstance(thing, bytes | bytearray):
            found.append(bytes(thing))
        waiting += gc.get_referents(thing)
    return found


def test_only_the_number_and_its_validity_have_a_place() -> None:
    places = {field.name for field in fields(CardRead)} - {"unit"}
    assert places == {"secret", "valid_from", "valid_to"}
    assert {f.name for f in fields(CardText)} == {"number", "valid_from", "valid_to"}


@pytest.mark.parametrize("name", "ABJIY")
def test_nothing_of_a_card_stays_in_the_driver(name: str) -> None:
    script = serving()
    put(script, REPLIES[name])
    [read] = [s for s in script.run(1.0) if isinstance(s, CardRead)]
    number = bytes(read.secret.take())
    script.signals.clear()
    text = persons()[name].text
    for kept in kept_bytes(script.device):
        assert number not in kept
        assert text[:8] not in kept
        assert text[122:132] not in kept


def test_the_search_would_find_what_stays() -> None:
    script = serving()
    put(script, REPLIES["A"])
    script.replies[READ] = None
    script.run(0.3)
    script.feed(REPLIES["A"][:600])  # half a reply must wait for its rest
    text = persons()["A"].text
    assert any(text[:8] in kept for kept in kept_bytes(script.device))
    script.device.closed(script.now)
    assert not any(text[:8] in kept for kept in kept_bytes(script.device))


def test_the_newest_address_is_never_asked_for() -> None:
    assert {command.value.hex() for command in Command} == {
        "11ff",
        "12ff",
        "2001",
        "2002",
        "3001",
    }
    script = serving()
    for name in "ABJIY":
        put(script, REPLIES[name])
        script.run(40.0)
        take_away(script)
        script.run(1.0)
    asked = {frame for _, frame in script.sent}
    assert asked == {STATUS, MODULE, FIND, SELECT, READ}
    assert NEWEST_ADDRESS_ASKED not in asked


@pytest.mark.parametrize("address", [NEWEST_ADDRESS, NEWEST_ADDRESS * 3])
def test_a_newest_address_that_comes_all_the_same_is_no_answer(address: str) -> None:
    script = serving()
    put(script, address + REPLIES["B"])
    signals = script.run(1.0)
    [read] = [signal for signal in signals if isinstance(signal, CardRead)]
    assert read.secret.take() == b"990105194901010025"
    [told] = [signal for signal in signals if isinstance(signal, Garbled)]
    assert told.why == "not an answer to the command"
    assert len(told.raw) == 10  # its header, none of its text


def test_no_additional_address_is_no_read_either() -> None:
    script = serving()
    put(script, NO_ADDRESS)
    causes = [s.why for s in script.run(4.0) if isinstance(s, CardUnreadable)]
    assert causes == [UnreadableCause.TRY_AGAIN]


def test_an_old_module_says_that_it_cannot_read_this_kind_each_time() -> None:
    script = serving()
    unknown = CardUnreadable(unit=0, why=UnreadableCause.CARD_TYPE_UNKNOWN)
    for _ in range(3):
        put(script, failure(0x40))
        assert script.run(1.0)[-1] == unknown
        assert script.sent[-1][1] == FIND
        take_away(script)
        assert script.run(0.5) == []
    assert [frame for _, frame in script.sent].count(READ) == 3


def test_an_old_module_that_refuses_the_kind_at_select_says_so_too() -> None:
    script = serving()
    script.replies |= {FIND: FOUND, SELECT: failure(0x40)}
    causes = [s.why for s in script.run(1.0) if isinstance(s, CardUnreadable)]
    assert causes == [UnreadableCause.CARD_TYPE_UNKNOWN]


def test_it_drops_cues_in_silence() -> None:
    script = serving()
    before = len(script.sent)
    for cue in Cue:
        script.order(Show(unit=0, cue=cue, text="welcome"))
    assert script.run(0.1) == []
    assert {frame for _, frame in script.sent[before:]} <= {FIND}
