# SPDX-License-Identifier: Apache-2.0
"""What an attacker with a hand on the cable may try, after Bishop Fox's "mellon"."""

from __future__ import annotations

import random

import pytest

from drivers.device import (
    Garbled,
    PinEntered,
    Pulse,
    Reachable,
    Signal,
    TagRead,
    TamperChanged,
    Unreachable,
)
from drivers.osdp.tamper import Tamper
from drivers.waiting import WaitingSignals
from tests.drivers.osdp_wire import UID, OsdpWire, packet, serving, wire

RAW_IN_CLEAR = b"\x50\x00\x00\x38\x00\x04\xa1\xb2\xc3\xd4\xe5\xf6"
KEYS_IN_CLEAR = b"\x53\x00\x05\x31\x32\x33\x34\x23"
CARD = "0000380004A1B2C3D4E5F6"


def opened(signals: list[Signal]) -> list[Signal]:
    """What could open a door."""
    return [signal for signal in signals if isinstance(signal, TagRead | PinEntered)]


def sent_codes(script: OsdpWire) -> set[int]:
    """The codes of all commands that were sent, in clear or not."""
    codes = set()
    for _, digits in script.sent:
        frame = bytes.fromhex(digits)[1:]
        codes.add(frame[5 + frame[5] if frame[4] & 8 else 5])
    return codes


@pytest.mark.parametrize("inside", [RAW_IN_CLEAR, KEYS_IN_CLEAR, b"\x48\x00\x00"])
@pytest.mark.parametrize("sequence", [0, 1, 2, 3])
def test_events_in_clear_open_nothing(inside: bytes, sequence: int) -> None:
    for script in (wire(5), serving(5)):
        if not script.sent:
            script.open()
        for _ in range(6):
            script.run_until_sent()
            script._coming.clear()
            signals = script.feed(packet(0x85, 4 | sequence, inside).hex())
            assert not opened(signals)
            script.run(0.3)


def test_a_reader_that_says_it_has_no_aes_is_no_reader() -> None:
    script = wire(5)
    script.readers[5].capabilities = bytes.fromhex("040101080100")
    script.readers[5].report(0x50, CARD)
    script.open()
    (lost,) = script.run(30.0)
    assert isinstance(lost, Unreachable)
    assert "no AES" in lost.why
    assert sent_codes(script) == {0x61, 0x62}


def test_a_downgrade_of_a_serving_reader_is_not_followed() -> None:
    script = serving(5)
    reader = script.readers[5]
    reader.capabilities = bytes.fromhex("040101")
    reader.forget()
    reader.report(0x50, CARD)
    signals = script.run(10.0)
    assert [type(s) for s in signals] == [Unreachable]


def test_install_mode_is_refused_and_no_key_is_ever_sent() -> None:
    script = wire(5)
    script.readers[5].is_installing = True
    script.open()
    (lost,) = script.run(20.0)
    assert isinstance(lost, Unreachable)
    assert "NAK 05" in lost.why
    assert 0x75 not in sent_codes(script)
    challenges = [f for _, f in script.sent if f[18:20] == "76"]
    assert challenges
    assert all("031101" in frame for frame in challenges)


def test_a_reader_with_another_key_is_refused_and_told_once() -> None:
    script = wire(5)
    script.readers[5].key = bytes.fromhex("9F3C51D2A8E47706BB10C96E5D24F83B")
    script.open()
    (lost,) = script.run(30.0)
    assert isinstance(lost, Unreachable)
    assert lost.why == "the reader holds another key"
    assert len(script.sent) < 3 * 31


def test_a_reader_with_another_number_is_tampering() -> None:
    script = wire(5)
    script.readers[5].uid = bytes.fromhex("BEBA0100AFBEADDF")
    script.open()
    tampered, lost = script.run(10.0)
    assert isinstance(tampered, TamperChanged)
    assert tampered.is_tampered
    assert isinstance(lost, Unreachable)
    assert lost.why == "another reader answers, cuid BEBA0100AFBEADDF"
    script.readers[5].uid = bytes.fromhex(UID)
    cleared, found, *_ = script.run(1.5)
    assert isinstance(cleared, TamperChanged)
    assert not cleared.is_tampered
    assert isinstance(found, Reachable)


def test_a_recorded_session_is_worth_nothing() -> None:
    """All replies of one session, played back to a panel that begins another."""
    first = wire(5)
    replies: list[bytes] = []

    def record(reply: bytes) -> bytes:
        replies.append(reply)
        return reply

    first.readers[5].mangle = record
    first.open()
    assert not opened(first.run(0.5))
    first.readers[5].report(0x50, CARD)
    assert opened(first.run(0.5))
    # With the same nonce it is worth everything: seed 1 is the recorded panel's own.
    for seed in range(1, 21):
        second = wire(5)
        second.bus._units[5]._session._random_bytes = random.Random(seed).randbytes
        tape = iter(replies)
        second.readers[5].answer = lambda _, tape=tape: next(tape, None)  # type: ignore[method-assign,misc]
        second.open()
        signals = second.run(10.0)
        assert bool(opened(signals)) is (seed == 1)
        if seed == 1:
            continue
        assert not [s for s in signals if isinstance(s, Reachable)]
        assert [s for s in signals if isinstance(s, Unreachable)]


def test_a_recorded_card_is_worth_nothing_later() -> None:
    script = serving(5)
    replies: list[bytes] = []

    def record(reply: bytes) -> bytes:
        replies.append(reply)
        return reply

    reader = script.readers[5]
    reader.mangle = record
    reader.report(0x50, CARD)
    assert opened(script.run(0.1))
    recorded = next(reply for reply in replies if reply[7] == 0x50)
    for _ in range(40):
        script.run_until_sent()
        assert not opened(script.feed(recorded.hex()))
        assert not opened(script.run(0.01))
    assert [s for _, s in script.signals if isinstance(s, TamperChanged)]


def test_three_forged_replies_in_a_minute_are_tampering_until_a_quiet_minute() -> None:
    script = serving(5)
    reader = script.readers[5]
    count = [0]

    def forge(reply: bytes) -> bytes:
        count[0] += 1
        if count[0] % 60 or len(reply) < 14:
            return reply
        return packet(reply[1], reply[4], reply[5:-6] + bytes(4))

    reader.mangle = forge
    signals = script.run(20.0)
    tampers = [s for s in signals if isinstance(s, TamperChanged)]
    assert [s.is_tampered for s in tampers] == [True]
    assert [s for s in signals if isinstance(s, Garbled)]
    assert not [s for s in signals if isinstance(s, Unreachable)]
    reader.mangle = lambda reply: reply
    (cleared,) = script.run(62.0)
    assert isinstance(cleared, TamperChanged)
    assert not cleared.is_tampered


def test_two_forged_replies_in_a_minute_are_not() -> None:
    script = serving(5)
    for _ in range(4):
        for _ in range(2):
            script.run_until_sent()
            script._coming.clear()
            sequence = int(script.sent[-1][1][10:12], 16) & 3
            frame = packet(0x85, 0x0C | sequence, b"\x02\x16\x40" + bytes(4))
            assert [type(s) for s in script.feed(frame.hex())] == [Garbled]
            script.run(1.5)
        script.run(61.0)
    assert not [s for _, s in script.signals if isinstance(s, TamperChanged)]
    assert not [s for _, s in script.signals if isinstance(s, Unreachable)]


@pytest.mark.parametrize(
    ("moments", "is_tampered"),
    [
        ((0.0, 30.0, 60.0), True),
        ((0.0, 30.0, 60.1), False),
        ((0.0, 40.0, 80.0, 99.0), True),
        ((0.0, 0.0), False),
    ],
)
def test_forgeries_count_within_a_minute(
    moments: tuple[float, ...], *, is_tampered: bool
) -> None:
    outbox = WaitingSignals()
    tamper = Tamper(unit=5, outbox=outbox)
    for moment in moments:
        tamper.forged(moment)
    assert bool(outbox) is is_tampered


def test_only_wrong_macs_make_a_reader_unreachable_within_eight_seconds() -> None:
    script = wire(5)

    def forge(reply: bytes) -> bytes:
        if len(reply) < 14 or reply[6] not in (0x16, 0x18):
            return reply
        return packet(reply[1], reply[4], reply[5:-6] + bytes(4))

    script.readers[5].mangle = forge
    script.open()
    signals = script.run(8.0)
    assert [type(s) for s in signals if not isinstance(s, Garbled)] == [
        TamperChanged,
        Unreachable,
    ]
    assert [type(s) for s in script.run(60.0) if not isinstance(s, Garbled)] == []


def test_a_reader_that_never_finishes_its_handshake_is_unreachable() -> None:
    for kind in (0x12, 0x14):
        script = wire(5)
        script.readers[5].mangle = lambda reply, kind=kind: (  # type: ignore[misc]
            None if reply[4] & 8 and reply[6] == kind else reply
        )
        script.open()
        assert [type(s) for s in script.run(8.0)] == [Unreachable]


def test_a_reader_that_forgets_its_channel_again_and_again_is_told_once() -> None:
    script = serving(5)
    reader = script.readers[5]

    proved = reader._proved

    def proves(frame: bytes, sequence: int) -> bytes:
        reply = proved(frame, sequence)
        reader.channel = None
        return reply

    reader._proved = proves  # type: ignore[method-assign]
    reader.forget()
    signals = script.run(30.0)
    assert [type(s) for s in signals] == [Unreachable]
    assert len(script.sent) < 40 * 6


def test_an_unsigned_nak_costs_a_handshake_and_no_more() -> None:
    script = serving(5)
    reader = script.readers[5]
    for code in (1, 3, 4, 5, 6, 9):
        script.run_until_sent()
        script._coming.clear()
        sequence = int(script.sent[-1][1][10:12], 16) & 3
        script.feed(packet(0x85, 4 | sequence, bytes([0x41, code])).hex())
        assert not opened(script.run(0.3))
        reader.report(0x50, CARD)
        assert len(opened(script.run(0.06))) == 1
    assert not [s for _, s in script.signals if isinstance(s, Unreachable)]


def test_an_order_is_never_carried_out_twice() -> None:
    """The reply to a pulse is lost; the repeat has the same number and is no pulse."""
    script = serving(5)
    reader = script.readers[5]
    count = [0]

    def lose_one(reply: bytes) -> bytes | None:
        count[0] += 1
        return None if count[0] == 1 else reply

    script.order(Pulse(unit=5, channel=1, duration_s=1.0))
    script._coming.clear()
    script.run(1.0)
    assert [data.hex() for code, data in reader.done if code == 0x68] == ["00050a00"]
    assert count == [0]
    reader.mangle = lose_one
    script.order(Pulse(unit=5, channel=2, duration_s=0.7))
    script.run(1.0)
    pulses = [data.hex() for code, data in reader.done if code == 0x68]
    assert pulses == ["00050a00", "01050700"]
