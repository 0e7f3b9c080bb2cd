# SPDX-License-Identifier: Apache-2.0
"""Lamps, tones and pulses: sent at once or not at all."""

from __future__ import annotations

import pytest

from drivers.device import (
    Cue,
    OpenLock,
    Order,
    OrderFailed,
    OutputChanged,
    Pulse,
    SetOutput,
    Show,
    Unreachable,
)
from drivers.osdp.pulses import MAX_ORDERS
from tests.drivers.osdp_wire import PDCAP, OsdpWire, serving, wire

#: Its lamp has level 4: timed, of three colours.
THREE_COLOURS = PDCAP.replace("040201", "040401")


def shown(script: OsdpWire) -> list[tuple[int, str]]:
    """Lamp, sounder and text commands that the reader carried out."""
    done = script.readers[5].done
    return [(code, data.hex()) for code, data in done if code in (0x69, 0x6A, 0x6B)]


def pulses(script: OsdpWire) -> list[str]:
    return [data.hex() for code, data in script.readers[5].done if code == 0x68]


def refusals(script: OsdpWire, order: Order, seconds: float = 0.5) -> list[str]:
    script.order(order)
    signals = script.run(seconds)
    failed = [signal for signal in signals if isinstance(signal, OrderFailed)]
    assert all(signal.order == order for signal in failed)
    return [signal.why for signal in failed]


def test_each_cue_has_its_own_light_and_tones() -> None:
    looks = {}
    for cue in Cue:
        script = wire(5)
        script.readers[5].capabilities = bytes.fromhex(THREE_COLOURS)
        script.open()
        script.run(1.0)
        script.order(Show(unit=5, cue=cue, text="Welcome"))
        assert script.run(0.1) == []
        looks[cue] = shown(script)
    lasting = "00" * 5

    def text(seconds: int) -> tuple[int, str]:
        how = "03" if seconds else "01"
        return (0x6B, f"00{how}{seconds:02x}01010757656c636f6d65")

    assert looks == {
        Cue.READING: [
            (0x69, "0000020a0003031400" + lasting),
            (0x6A, "0002010101"),
            text(2),
        ],
        Cue.GRANTED: [
            (0x69, "0000020a0002023200" + lasting),
            (0x6A, "0002050501"),
            text(5),
        ],
        Cue.GRANTED_SLOW: [
            (0x69, "0000020f0502006400" + lasting),
            (0x6A, "00020a0a01"),
            text(10),
        ],
        Cue.DENIED: [
            (0x69, "0000020a0001015000" + lasting),
            (0x6A, "0002030302"),
            text(8),
        ],
        Cue.TRY_AGAIN: [
            (0x69, "000002050503001e00" + lasting),
            (0x6A, "0002010103"),
            text(3),
        ],
        Cue.CLOSE_DOOR: [
            (0x69, "0000020a0003033c00" + lasting),
            (0x6A, "0002020201"),
            text(6),
        ],
        Cue.READY: [(0x69, "0000" + "00" * 7 + "010a000707"), text(0)],
        Cue.FREE: [(0x69, "0000" + "00" * 7 + "0102120207"), text(0)],
        Cue.BOOKED: [(0x69, "0000" + "00" * 7 + "010a000404"), text(0)],
        Cue.DRILL: [(0x69, "0000" + "00" * 7 + "010a000707"), text(0)],
        Cue.DRILL_EVACUATE: [
            (0x69, "0000" + "00" * 7 + "010a000202"),
            (0x6A, "0002020205"),
            text(0),
        ],
        Cue.OUT_OF_ORDER: [(0x69, "0000" + "01" + "00" * 6 + "0105050400"), text(0)],
        Cue.LOCKED_DOWN: [(0x69, "0000" + "01" + "00" * 6 + "010f0f0100"), text(0)],
        Cue.EVACUATE: [
            (0x69, "0000" + "01" + "00" * 6 + "010a000202"),
            (0x6A, "0002060604"),
            text(0),
        ],
    }


def test_no_two_tones_of_a_buzzer_are_alike_and_no_lamp_flashes_fast() -> None:
    tones = []
    for cue in Cue:
        script = serving(5)
        script.order(Show(unit=5, cue=cue))
        script.run(0.1)
        for code, data in shown(script):
            if code == 0x6A:
                tones.append(data)
            elif code == 0x69:
                fields = bytes.fromhex(data)
                on, off = fields[10:12] if fields[9] else fields[3:5]
                assert not off or on + off >= 5, f"{cue} flashes faster than 2 Hz"
    assert len(set(tones)) == len(tones) == 8


def test_a_lamp_of_two_colours_is_dark_at_rest_and_red_in_trouble() -> None:
    lamps = {}
    for cue in (Cue.READY, Cue.FREE, Cue.BOOKED, Cue.OUT_OF_ORDER):
        script = wire(5)
        script.readers[5].capabilities = bytes.fromhex("090100040301")
        script.open()
        script.run(1.0)
        script.order(Show(unit=5, cue=cue))
        script.run(0.2)
        [(_, data)] = shown(script)
        lamps[cue] = data[-4:]
    assert lamps == {
        Cue.READY: "0000",
        Cue.FREE: "0200",
        Cue.BOOKED: "0000",
        Cue.OUT_OF_ORDER: "0100",
    }


def test_a_cue_is_sent_within_the_next_exchange() -> None:
    script = serving(5)
    at = script.now
    script.order(Show(unit=5, cue=Cue.GRANTED))
    script.run(0.02)
    assert len(shown(script)) == 2
    assert script.now - at < 0.1


@pytest.mark.parametrize(
    ("capabilities", "codes"),
    [
        ("090100", []),
        ("090100040101", [0x69]),
        ("090100050101", [0x6A]),
        ("090100060101", [0x6B]),
        ("090100040001050100060000", []),
        ("090100040101050101", [0x69, 0x6A]),
    ],
)
def test_only_what_the_reader_can(capabilities: str, codes: list[int]) -> None:
    script = wire(5)
    script.readers[5].capabilities = bytes.fromhex(capabilities)
    script.open()
    script.run(1.0)
    script.order(Show(unit=5, cue=Cue.DENIED, text="No"))
    script.run(0.2)
    assert [code for code, _ in shown(script)] == codes


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("", None),
        ("欢迎", None),
        ("a\nb", None),
        ("0123456789abcdefgh", "0123456789abcdef"),
    ],
)
def test_text_is_one_short_line_of_ascii(text: str, sent: str | None) -> None:
    script = serving(5)
    script.order(Show(unit=5, cue=Cue.DENIED, text=text))
    script.run(0.2)
    lines = [data for code, data in shown(script) if code == 0x6B]
    written = [bytes.fromhex(line)[6:].decode() for line in lines]
    assert written == ([sent] if sent else [])


def test_a_newer_cue_replaces_an_older_one() -> None:
    script = serving(5)
    script.run(0.02)
    script.order(Show(unit=5, cue=Cue.READING))
    script.order(Show(unit=5, cue=Cue.TRY_AGAIN, text="again"))
    script.order(Show(unit=5, cue=Cue.GRANTED))
    script.run(0.3)
    # The first lamp was on the line already.
    colours = [data[10:12] for code, data in shown(script) if code == 0x69]
    assert colours == ["03", "02"]
    assert [code for code, _ in shown(script)] == [0x69, 0x69, 0x6A]


def test_a_cue_for_a_reader_that_is_not_there_is_dropped_in_silence() -> None:
    script = serving(5)
    script.order(Show(unit=6, cue=Cue.GRANTED))
    assert script.run(0.1) == []
    script.readers[5].is_silent = True
    assert [type(s) for s in script.run(3.0)] == [Unreachable]
    script.order(Show(unit=5, cue=Cue.GRANTED))
    assert script.run(1.0) == []
    script.readers[5].is_silent = False
    script.run(3.0)
    assert shown(script) == []
    script.device.closed(script.now)
    script.order(Show(unit=5, cue=Cue.GRANTED))
    assert script.device.deadline() is None


def test_a_cue_that_is_refused_costs_nothing() -> None:
    script = serving(5)
    script.readers[5].answers |= {0x69: (0x41, "03"), 0x6A: (0x41, "09")}
    script.order(Show(unit=5, cue=Cue.GRANTED))
    assert script.run(10.0) == []


@pytest.mark.parametrize(
    ("channel", "duration_s", "sent"),
    [
        (1, 5.0, "00053200"),
        (2, 0.7, "01050700"),
        (1, 0.01, "00050100"),
        (1, 25.5, "0005ff00"),
    ],
)
def test_a_pulse_is_timed_by_the_reader(
    channel: int, duration_s: float, sent: str
) -> None:
    script = serving(5)
    order = Pulse(unit=5, channel=channel, duration_s=duration_s)
    assert refusals(script, order) == []
    assert pulses(script) == [sent]


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Pulse(unit=5, channel=0, duration_s=1), "the reader has 2 outputs"),
        (Pulse(unit=5, channel=3, duration_s=1), "the reader has 2 outputs"),
        (Pulse(unit=5, channel=1, duration_s=25.6), "a pulse lasts 0.1 to 25.5 s"),
        (Pulse(unit=5, channel=1, duration_s=0), "a pulse lasts 0.1 to 25.5 s"),
        (Pulse(unit=5, channel=1, duration_s=-1), "a pulse lasts 0.1 to 25.5 s"),
        (Pulse(unit=5, channel=1, duration_s=float("nan")), "a pulse lasts 0.1"),
        (Pulse(unit=5, channel=1, duration_s=float("inf")), "a pulse lasts 0.1"),
        (Pulse(unit=6, channel=1, duration_s=1), "no reader has this address"),
        (SetOutput(unit=5, channel=1, is_on=True), "outputs are pulsed, nothing else"),
        (OpenLock(unit=5, channel=1), "outputs are pulsed, nothing else"),
    ],
)
def test_other_orders_are_refused(order: Order, why: str) -> None:
    script = serving(5)
    (said,) = refusals(script, order)
    assert why in said
    assert pulses(script) == []


def test_without_outputs_nothing_is_pulsed() -> None:
    script = wire(5)
    script.readers[5].capabilities = bytes.fromhex("090100020100")
    script.open()
    script.run(1.0)
    order = Pulse(unit=5, channel=1, duration_s=1)
    assert refusals(script, order) == ["the reader has 0 outputs"]


def test_a_refused_pulse_fails_and_the_reader_stays() -> None:
    script = serving(5)
    script.readers[5].answers[0x68] = (0x41, "09")
    order = Pulse(unit=5, channel=1, duration_s=1)
    assert refusals(script, order, 10.0) == ["NAK 09 (record not understood)"]
    assert not [s for _, s in script.signals if isinstance(s, Unreachable)]


def test_output_levels_are_told() -> None:
    script = serving(5)
    script.readers[5].answers[0x68] = (0x4A, "0100")
    script.order(Pulse(unit=5, channel=1, duration_s=1))
    script.readers[5].report(0x4A, "0000")
    assert script.run(0.5) == [
        OutputChanged(unit=5, channel=1, is_on=True),
        OutputChanged(unit=5, channel=1, is_on=False),
    ]


def test_a_pulse_that_nobody_answers_fails_and_is_not_sent_again() -> None:
    script = serving(5)
    script.readers[5].is_silent = True
    at = script.now
    order = Pulse(unit=5, channel=1, duration_s=1)
    assert refusals(script, order, 20.0) == ["no answer"]
    frames = [f for f in script.sent_since(at) if f[16:18] == "68"]
    assert len(frames) == 2
    assert frames[0] == frames[1]
    script.readers[5].is_silent = False
    script.run(3.0)
    assert pulses(script) == []


def test_a_busy_reader_does_not_pulse_late() -> None:
    script = serving(5)
    script.readers[5].busy = 60
    order = Pulse(unit=5, channel=1, duration_s=1)
    assert refusals(script, order, 6.0) == ["the order grew too old"]
    assert pulses(script) == []


def test_orders_die_with_link_standstill_and_reader() -> None:
    order = Pulse(unit=5, channel=1, duration_s=1)
    script = serving(5)
    script.order(order)
    script.order(order)
    lost = script.device.closed(script.now)
    assert [s.why for s in lost if isinstance(s, OrderFailed)] == [
        "the link was lost"
    ] * 2
    script = serving(5)
    script.readers[5].is_silent = True
    script.order(order)
    script.device.resumed(script.now)
    (failed,) = script.run(0.0)
    assert isinstance(failed, OrderFailed)
    assert failed.why == "the process stood still"
    script.readers[5].is_silent = False
    script.run(3.0)
    assert pulses(script) == []
    assert refusals(wire(5), order) == ["the link was lost"]


def test_too_many_orders_are_refused() -> None:
    script = serving(5)
    script.readers[5].is_silent = True
    script.run_until_sent()
    for _ in range(MAX_ORDERS + 3):
        script.order(Pulse(unit=5, channel=1, duration_s=1))
    failed = [s for s in script.run(0.0) if isinstance(s, OrderFailed)]
    assert [s.why for s in failed] == ["too many orders wait"] * 3
