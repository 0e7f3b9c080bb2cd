# SPDX-License-Identifier: Apache-2.0
"""Giving a reader its key: once, alone on the line, and never in clear."""

from __future__ import annotations

import pytest

from drivers.device import Cue, OrderFailed, Pulse, Reachable, Show, Signal, Unreachable
from drivers.errors import LocalError
from drivers.osdp.pairing import OsdpPairing
from tests.drivers.osdp_wire import KEY, UID, OsdpWire, Reader, nonces, serving

NEW_KEY = bytes.fromhex(KEY)


class Bench(OsdpWire):
    """One attempt with readers in install mode."""

    def __init__(self, *addresses: int, window_s: float = 30.0) -> None:
        units = [Reader(address, key="00" * 16) for address in addresses]
        self.pairing = OsdpPairing(
            address=5, key=NEW_KEY, window_s=window_s, random_bytes=nonces(7)
        )
        super().__init__(self.pairing, *units)  # type: ignore[arg-type]
        for unit in units:
            unit.is_installing = True

    def attempt(self) -> Signal:
        self.open()
        signals = self.run(40.0)
        assert len(signals) == 1
        assert self.pairing.is_done
        assert self.device.deadline() is None
        return signals[0]


def test_a_reader_alone_gets_its_key_and_proves_it() -> None:
    bench = Bench(5)
    assert bench.attempt() == Reachable(unit=5, detail=f"paired, cuid {UID}")
    assert bench.signals[0][0] < 10.0
    reader = bench.readers[5]
    assert reader.key == NEW_KEY
    assert not reader.is_installing
    wire_bytes = "".join(frame for _, frame in bench.sent)
    assert KEY not in wire_bytes
    assert KEY not in repr(bench.signals)
    kinds = [frame[14:20] for _, frame in bench.sent if frame[12:14] == "03"]
    assert kinds == ["110076", "130077", "110176", "130177"]
    # The reader serves with it.
    script = serving(5)
    script.readers[5].key = reader.key
    assert any(isinstance(s, Reachable) for _, s in script.signals)


def test_every_other_address_is_called_first() -> None:
    bench = Bench(5)
    bench.attempt()
    called = [int(frame[4:6], 16) for _, frame in bench.sent[:126]]
    assert sorted(called) == [a for a in range(127) if a != 5]


@pytest.mark.parametrize("other", [0, 6, 126])
def test_a_second_reader_ends_the_attempt(other: int) -> None:
    bench = Bench(5, other)
    why = f"another reader is on the line, address {other}"
    assert bench.attempt() == Unreachable(unit=5, why=why)
    assert bench.readers[5].is_installing


def test_noise_of_a_second_reader_ends_the_attempt() -> None:
    bench = Bench(5, 6)
    bench.readers[6].mangle = lambda reply: reply[:-2]
    why = "something else answers on the line"
    assert bench.attempt() == Unreachable(unit=5, why=why)


@pytest.mark.parametrize("is_whole", [True, False])
@pytest.mark.parametrize("delay_s", [0.05, 0.1, 0.2])
def test_a_slow_reader_at_the_last_address_ends_the_attempt(
    delay_s: float, *, is_whole: bool
) -> None:
    """It answers when nothing is asked any more; no key may go out beside it."""
    bench = Bench(5, 126)
    late: list[bytes] = []

    def keep(reply: bytes) -> None:
        late.append(reply)

    bench.readers[126].mangle = keep
    bench.open()
    while not late:
        bench.run_until_sent()
    bench.run(delay_s)
    bench.feed((late[0] if is_whole else late[0][:1]).hex())
    why = "something else answers on the line"
    assert bench.run(40.0) == []
    assert [s for _, s in bench.signals] == [Unreachable(unit=5, why=why)]
    assert {frame[4:6] for _, frame in bench.sent[-3:]} == {"7C", "7D", "7E"}
    assert bench.readers[5].is_installing


def test_a_reader_that_has_a_key_already_is_not_taken_over() -> None:
    bench = Bench(5)
    bench.readers[5].is_installing = False
    ended = bench.attempt()
    assert isinstance(ended, Unreachable)
    assert "NAK 05" in ended.why
    assert bench.readers[5].key == bytes(16)


def test_a_silent_reader_ends_the_attempt() -> None:
    bench = Bench(5)
    bench.readers[5].is_silent = True
    assert bench.attempt() == Unreachable(unit=5, why="install mode: no answer")


def test_a_reader_that_refuses_the_key_ends_the_attempt() -> None:
    bench = Bench(5)
    bench.readers[5].answers[0x75] = (0x41, "09")
    why = "setting the key: NAK 09 (record not understood)"
    assert bench.attempt() == Unreachable(unit=5, why=why)


def test_a_reader_that_kept_another_key_is_not_paired() -> None:
    bench = Bench(5)
    reader = bench.readers[5]
    plain = reader._secure

    def forgets(frame: bytes, sequence: int) -> bytes:
        reply = plain(frame, sequence)
        reader.key = bytes(15) + b"\x01"
        return reply

    reader._secure = forgets  # type: ignore[method-assign]
    why = "proving the new key: the reader holds another key"
    assert bench.attempt() == Unreachable(unit=5, why=why)


def test_lost_replies_and_busy_do_not_end_it() -> None:
    bench = Bench(5)
    bench.readers[5].busy = 3
    count = [0]

    def lossy(reply: bytes) -> bytes | None:
        count[0] += 1
        return None if count[0] % 3 == 0 else reply

    bench.readers[5].mangle = lossy
    assert isinstance(bench.attempt(), Reachable)


def test_the_window_closes() -> None:
    bench = Bench(5, window_s=10.0)
    bench.readers[5].busy = 10_000
    why = "install mode: the window has closed"
    assert bench.attempt() == Unreachable(unit=5, why=why)
    assert bench.signals[0][0] == 10.0


def test_an_attempt_is_for_one_opening() -> None:
    bench = Bench(5)
    bench.open()
    bench.run(1.0)
    why = "the link was lost"
    assert bench.device.closed(bench.now) == [Unreachable(unit=5, why=why)]
    bench.open()
    why = "this attempt is over; arm another one"
    assert bench.run(60.0) == [Unreachable(unit=5, why=why)]
    bench = Bench(5)
    bench.open()
    bench.run(1.0)
    bench.device.resumed(bench.now)
    assert bench.run(60.0) == [Unreachable(unit=5, why="the process stood still")]
    assert len(bench.sent) < 100


def test_orders_are_refused() -> None:
    bench = Bench(5)
    order = Pulse(unit=5, channel=1, duration_s=1.0)
    bench.order(order)
    bench.order(Show(unit=5, cue=Cue.GRANTED))
    why = "the reader is being paired"
    assert bench.run(0.0) == [OrderFailed(unit=5, order=order, why=why)]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"key": bytes(16)}, "pattern"),
        ({"key": NEW_KEY[:-1]}, "16 bytes"),
        ({"address": 127}, "address must be 0 to 126"),
        ({"window_s": 61.0}, "window_s must be 10.0 to 60.0"),
    ],
)
def test_wrong_attempts_are_refused(values: dict[str, object], words: str) -> None:
    good = {"address": 5, "key": NEW_KEY, "window_s": 30.0, "random_bytes": bytes}
    with pytest.raises(LocalError, match=words):
        OsdpPairing(**(good | values))  # type: ignore[arg-type]
