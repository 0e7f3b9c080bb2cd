# SPDX-License-Identifier: Apache-2.0
"""One conversation: the recorded one byte for byte, and every way to spoil it."""

from __future__ import annotations

import pytest

from drivers.errors import LocalError
from drivers.osdp.messages import (
    ACK,
    POLL,
    Busy,
    CardData,
    InputLevels,
    KeysPressed,
    Malformed,
    Nak,
    pulse,
)
from drivers.osdp.secure_channel import DEFAULT_KEY
from drivers.osdp.session import (
    Advanced,
    Answer,
    Forged,
    Ignored,
    Lost,
    Refused,
    Replaced,
    Secured,
    Session,
    Stage,
    Verdict,
)
from drivers.osdp.wire import Packet, decode
from tests.drivers.osdp_wire import NOTES, Channel, Reader, packet

TEST_KEY = bytes(range(0x10, 0x20))
NONCE = bytes.fromhex("D764C8CCE93255C4")
PDID = NOTES["PDID"]
PDCAP = NOTES["PDCAP"]


def session(uid: str = "", *, is_install: bool = False) -> Session:
    return Session(
        address=5,
        key=DEFAULT_KEY if is_install else TEST_KEY,
        random_bytes=lambda size: NONCE[:size],
        known_uid=bytes.fromhex(uid),
        is_install=is_install,
    )


def take(side: Session, frame: bytes) -> Verdict:
    found = decode(frame)
    assert isinstance(found, Packet)
    return side.take(found)


def until(stage: Stage, **options: bool) -> Session:
    """A session before the question of a stage."""
    side = session(**options)  # type: ignore[arg-type]
    for frame in (PDID, PDCAP, NOTES["CCRYPT"], NOTES["RMAC_I"]):
        if side.stage is stage:
            break
        side.ask(POLL)
        take(side, frame)
    assert side.stage is stage
    return side


def test_the_recorded_handshake_and_commands() -> None:
    side = session("BEBA0100AFBEADDE")
    assert side.ask(POLL) == NOTES["ID request to 05 (with mark)"]
    assert take(side, PDID) == Advanced()
    assert side.ask(POLL) == NOTES["CAP request"]
    assert take(side, PDCAP) == Advanced()
    assert side.ask(POLL) == NOTES["CHLNG"]
    assert take(side, NOTES["CCRYPT"]) == Advanced()
    assert side.ask(POLL) == NOTES["SCRYPT"]
    assert take(side, NOTES["RMAC_I"]) == Secured()
    label = "vendor BEBAFE model 1.1 serial DEADBEAF firmware 173.222.173"
    assert str(side.identity) == label
    assert side.uid.hex().upper() == "BEBA0100AFBEADDE"
    assert side.ask(pulse(1, 50)) == NOTES["OUT 50"]
    assert take(side, NOTES["ACK of OUT 50"]) == Answer(ACK)
    assert side.ask(pulse(1, 44)) == NOTES["OUT 44"]


def test_the_recorded_events() -> None:
    side = until(Stage.SECURE)
    seen = []
    notes = ["RAW sealed 26", "RAW sealed 56", "KEYPAD sealed", "ISTATR sealed"]
    for index, note in enumerate(notes, start=1):
        assert side.ask(POLL) == NOTES[f"POLL sealed {index}"]
        verdict = take(side, NOTES[note])
        assert isinstance(verdict, Answer)
        seen.append(verdict.reply)
    assert seen == [
        CardData(True, 26, bytes.fromhex("12345680")),  # noqa: FBT003
        CardData(False, 56, bytes.fromhex("04A1B2C3D4E5F6")),  # noqa: FBT003
        KeysPressed(b"1234#"),
        InputLevels((True, False)),
    ]
    assert "1234" not in repr(seen)


def test_a_repeat_is_the_same_bytes_and_a_second_question_is_a_mistake() -> None:
    side = until(Stage.SECURE)
    frame = side.ask(POLL)
    assert side.is_waiting
    assert side.repeat() == frame == side.repeat()
    with pytest.raises(LocalError, match="waits for its answer"):
        side.ask(POLL)


def test_a_repeated_reply_is_dropped() -> None:
    side = until(Stage.SECURE)
    side.ask(POLL)
    assert isinstance(take(side, NOTES["RAW sealed 26"]), Answer)
    assert take(side, NOTES["RAW sealed 26"]) == Ignored("nobody asked")
    side.ask(POLL)
    assert take(side, NOTES["RAW sealed 26"]) == Ignored("late or repeated")
    assert isinstance(take(side, NOTES["RAW sealed 56"]), Answer)


def test_busy_keeps_the_number() -> None:
    side = until(Stage.SECURE)
    frame = side.ask(POLL)
    assert take(side, packet(0x85, 4, b"\x79")) == Busy()
    assert side.repeat() == frame
    assert isinstance(take(side, NOTES["RAW sealed 26"]), Answer)


@pytest.mark.parametrize(
    ("inside", "verdict"),
    [
        (b"\x40", Forged("a reply outside the secure channel")),
        (
            b"\x50\x00\x01\x1a\x00\x12\x34\x56\x80",
            Forged("a reply outside the secure channel"),
        ),
        (b"\x53\x00\x01\x31", Forged("a reply outside the secure channel")),
        (b"\x48\x00\x00", Forged("a reply outside the secure channel")),
        (
            b"\x41\x06",
            Lost("the reader lost the secure channel: NAK 06 (wrong security state)"),
        ),
        (
            b"\x41\x04",
            Lost("the reader lost the secure channel: NAK 04 (wrong sequence)"),
        ),
    ],
)
def test_nothing_in_clear_is_believed(inside: bytes, verdict: Verdict) -> None:
    side = until(Stage.SECURE)
    side.ask(POLL)
    assert take(side, packet(0x85, 5, inside)) == verdict


def secured_pair() -> tuple[Session, Channel]:
    """A session and a reader's channel that a test speaks through itself."""
    side = until(Stage.PROVE)
    frame = side.ask(POLL)
    other = Channel(TEST_KEY, NONCE, bytes.fromhex("478D7AA05D83F3EA"))
    assert frame[10:26] == other.panels
    assert take(side, NOTES["RMAC_I"]) == Secured()
    return side, other


@pytest.mark.parametrize("code", [2, 3, 9, 0x7F])
def test_a_signed_refusal_is_about_the_command(code: int) -> None:
    side, other = secured_pair()
    other.open(side.ask(POLL)[1:])
    verdict = take(side, other.seal(5, 1, 0x41, bytes([code])))
    assert verdict == Answer(Nak(code))
    other.open(side.ask(POLL)[1:])
    assert take(side, other.seal(5, 2, 0x40, b"")) == Answer(ACK)


def test_a_signed_nak_of_the_channel_begins_anew() -> None:
    for code in (4, 5, 6):
        side, other = secured_pair()
        other.open(side.ask(POLL)[1:])
        assert isinstance(take(side, other.seal(5, 1, 0x41, bytes([code]))), Lost)


def test_a_card_that_is_signed_but_not_encrypted_is_refused() -> None:
    side, other = secured_pair()
    other.open(side.ask(POLL)[1:])
    inside = b"\x02\x16\x50" + bytes.fromhex("00011A0012345680")
    signed = packet(0x85, 0x0D, inside + bytes(4))[:-6]
    mac = other.mac(signed, other.theirs)
    verdict = take(side, packet(0x85, 0x0D, inside + mac[:4]))
    assert verdict == Answer(Malformed("card or keys that were not encrypted"))


def test_a_wrong_mac_is_forged_and_the_right_one_still_counts() -> None:
    side, other = secured_pair()
    other.open(side.ask(POLL)[1:])
    good = other.seal(5, 1, 0x40, b"")
    bad = packet(0x85, 0x0D, good[5:-6] + bytes(4))
    assert take(side, bad) == Forged("a reply with a wrong MAC")
    assert take(side, good) == Answer(ACK)


def test_replies_of_an_old_session_are_worth_nothing() -> None:
    side = Session(address=5, key=TEST_KEY, random_bytes=lambda size: b"\x5a" * size)
    for frame in (PDID, PDCAP):
        side.ask(POLL)
        take(side, frame)
    side.ask(POLL)
    assert take(side, NOTES["CCRYPT"]) == Refused("the reader holds another key")


def test_checksums_are_refused_once_a_crc_is_agreed_on() -> None:
    def with_checksum(sequence: int, inside: bytes) -> bytes:
        body = bytes([0x53, 0x85, 6 + len(inside), 0, sequence]) + inside
        return body + bytes([-sum(body) & 0xFF])

    side = session()
    side.ask(POLL)
    assert take(side, with_checksum(0, b"\x45" + bytes(12))) == Advanced()
    side.ask(POLL)
    assert take(side, PDCAP) == Advanced()
    side.ask(POLL)
    nak = with_checksum(2, b"\x41\x05")
    assert take(side, nak) == Ignored("a checksum where a CRC was agreed on")


@pytest.mark.parametrize(
    ("triples", "is_refused"),
    [
        ("080100", True),
        ("090000080100", True),
        ("090001", True),
        ("090200", True),
        ("090100", False),
        ("090301", False),
        ("", True),
    ],
)
def test_a_reader_without_aes_is_a_downgrade(triples: str, *, is_refused: bool) -> None:
    side = until(Stage.CAPABILITIES)
    side.ask(POLL)
    verdict = take(side, packet(0x85, 5, b"\x46" + bytes.fromhex(triples)))
    assert isinstance(verdict, Refused) is is_refused
    assert isinstance(verdict, Advanced) is not is_refused


def test_the_default_key_is_refused_in_service() -> None:
    side = until(Stage.CHALLENGE)
    side.ask(POLL)
    # Recorded as the answer to question 3; here it was question 2.
    verdict = take(side, packet(0x85, 0x0E, NOTES["CCRYPT install"][5:-2]))
    assert verdict == Refused("the reader answers with the default key of install mode")


def test_install_mode_speaks_with_the_default_key() -> None:
    side = until(Stage.CHALLENGE, is_install=True)
    reader = Reader(5)
    reader.is_installing = True
    frame = side.ask(POLL)
    assert frame[6:9] == bytes.fromhex("031100")
    reply = reader.answer(frame[1:])
    assert reply is not None
    assert take(side, reply) == Advanced()


def test_another_reader_is_noticed_before_its_key() -> None:
    side = session("BEBA0100AFBEADDF")
    for frame in (PDID, PDCAP):
        side.ask(POLL)
        take(side, frame)
    side.ask(POLL)
    uid = bytes.fromhex("BEBA0100AFBEADDE")
    assert take(side, NOTES["CCRYPT"]) == Replaced(uid)


@pytest.mark.parametrize("code", [1, 3, 5, 6])
@pytest.mark.parametrize("stage", list(Stage)[:4])
def test_a_nak_in_the_handshake_refuses(stage: Stage, code: int) -> None:
    side = until(stage)
    side.ask(POLL)
    sequence = side._sequence
    verdict = take(side, packet(0x85, 4 | sequence, bytes([0x41, code])))
    assert isinstance(verdict, Refused)


@pytest.mark.parametrize("stage", list(Stage)[:4])
def test_other_replies_of_a_handshake_are_ignored(stage: Stage) -> None:
    side = until(stage)
    side.ask(POLL)
    sequence = side._sequence
    for inside in (b"\x40", b"\x50\x00\x01\x1a\x00\x12\x34\x56\x80", b"\x54", b"\x45"):
        frame = packet(0x85, 4 | sequence, inside)
        assert take(side, frame) == Ignored("not what was asked for")
    assert side.stage is stage
    assert side.is_waiting


def test_a_wrong_first_mac_is_refused() -> None:
    side = until(Stage.PROVE)
    side.ask(POLL)
    inside = bytes([3, 0x14, 1, 0x78]) + bytes(16)
    verdict = take(side, packet(0x85, 0x0F, inside))
    assert verdict == Refused("the reader's first MAC is wrong")
    side = until(Stage.PROVE)
    side.ask(POLL)
    inside = bytes([3, 0x14, 0, 0x78]) + NOTES["RMAC_I"][9:25]
    verdict = take(side, packet(0x85, 0x0F, inside))
    assert verdict == Refused("the reader refuses our proof")


def test_no_key_is_ever_shown() -> None:
    assert TEST_KEY.hex() not in repr(vars(until(Stage.SECURE)))
    assert TEST_KEY not in vars(session()).values()
