# SPDX-License-Identifier: Apache-2.0
"""Testing a device: read alone, worked once when asked, through a living gateway."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from drivers.device import (
    AddressConflict,
    CardFound,
    CardRead,
    CardUnreadable,
    CodeRead,
    Garbled,
    InputChanged,
    OpenLock,
    OrderFailed,
    OutputChanged,
    PinEntered,
    Reachable,
    Signal,
    TagRead,
    TamperChanged,
    Technology,
    Unreachable,
    UnreadableCause,
)
from drivers.secret import Secret
from edge.cli.device_test import Wish, run_device_test
from edge.cli.load_site import load_site
from edge.cli.signal_words import in_words
from edge.cli.state_folder import own_folder
from edge.control.server import ControlServer
from firmware_sim.happening import What
from tests.edge.simulated import living
from tests.edge.small_site import TEXT, spoilt

if TYPE_CHECKING:
    from pathlib import Path

LOCKS = """\
[[device]]
id = "locks"
driver = "locker_8a"
port = "ports/locks"
address = 1
options = { channels = 12 }

[[bank]]
id = "lockers"
space = "hall"
device = "locks"
compartments = { small = [1, 2] }

[[door]]"""


class Person:
    """Who stands before the device: what was told and asked, and the answer."""

    def __init__(self, state: Path, text: str = TEXT, *, agrees: bool = True) -> None:
        self.told: list[str] = []
        self.asked: list[str] = []
        self._agrees = agrees
        self._state = state
        self._site = state.parent / "site.toml"
        self._site.write_text(text, encoding="utf-8")

    async def test(self, name: str, **wishes: Any) -> int:
        """Run the verb beside this loop, in which the devices live."""
        settings = load_site(self._site)
        wish = Wish(settings=settings, state=self._state, name=name, **wishes)
        return await asyncio.to_thread(
            run_device_test, wish, say=self.told.append, agrees=self._answer
        )

    def _answer(self, question: str) -> bool:
        self.asked.append(question)
        return self._agrees

    @property
    def text(self) -> str:
        return "\n".join(self.told)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


async def test_a_board_is_read_and_nothing_moves(state: Path) -> None:
    person = Person(state)
    wishes = ("closed_inputs=[8]",)
    async with living(state / "ports/board", "relay_board", *wishes) as host:
        seen: list[What] = []
        host.watch(lambda news: seen.extend(one.what for one in news))
        assert await person.test("board") == 0
    assert person.told == [
        "board: modbus_relay_board at ports/board",
        "  output 1: strike of door front",
        "  input 1: contact of door front",
        "  input 8: fire",
        "board answers: relays on: none.",
        "board answers: inputs closed: 8.",
    ]
    assert person.asked == []
    assert seen == []


async def test_with_act_one_relay_is_worked_once_after_a_question(state: Path) -> None:
    person = Person(state)
    async with living(state / "ports/board", "relay_board") as host:
        seen: list[tuple[What, int | None]] = []
        host.watch(lambda news: seen.extend((one.what, one.channel) for one in news))
        assert await person.test("board", act=True, channel=2) == 0
        await asyncio.sleep(0.3)
    assert seen == [(What.RELAY_ON, 2), (What.RELAY_OFF, 2)]
    [question] = person.asked
    assert "work output 2 once, and switch all its outputs off before?" in question
    assert "Output 2 is on." in person.told


async def test_without_consent_nothing_is_written(state: Path) -> None:
    person = Person(state, agrees=False)
    async with living(state / "ports/board", "relay_board") as host:
        board = host.world.boards["board"]
        assert await person.test("board", act=True) == 0
        assert board.snapshot().requests == 0
    assert person.told[-1] == "Nothing was moved."


async def test_one_lock_is_opened_and_its_feedback_is_told(state: Path) -> None:
    person = Person(state, spoilt("[[door]]", LOCKS))
    async with living(state / "ports/locks", "locker_board") as host:
        seen: list[tuple[What, int | None]] = []
        host.watch(lambda news: seen.extend((one.what, one.channel) for one in news))
        assert await person.test("locks") == 0
        assert seen == []
        assert await person.test("locks", act=True, channel=2) == 0
        assert seen == [(What.COMPARTMENT_OPENED, 2)]
    assert "  locks: bank lockers" in person.told
    assert "open lock 2 once?" in person.asked[0]


async def test_a_jammed_lock_is_trouble(state: Path) -> None:
    person = Person(state, spoilt("[[door]]", LOCKS))
    async with living(state / "ports/locks", "locker_board") as host:
        host.act(lambda now: host.hand.jam("board", 1, now))
        assert await person.test("locks", act=True) == 1
    assert any(line.startswith("It did not do it: ") for line in person.told)


async def test_a_dead_board_is_trouble_with_advice(state: Path) -> None:
    person = Person(state)
    async with living(state / "ports/board", "relay_board", "is_cut=true"):
        assert await person.test("board") == 1
        assert "Look at the device's power lamp" in person.text
        assert await person.test("board", act=True) == 1


async def test_a_missing_port_is_trouble_and_says_why(state: Path) -> None:
    person = Person(state)
    assert await person.test("board") == 1
    assert await person.test("board", act=True) == 1
    assert person.text.count("No such file or directory") == 2


async def test_a_code_that_is_shown_is_told_without_its_content(state: Path) -> None:
    person = Person(state)
    async with living(state / "ports/scanner", "qr_scanner") as host:
        test = asyncio.create_task(person.test("scanner", for_s=5.0))
        async with asyncio.timeout(5):
            while "It answers." not in person.told:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        host.act(lambda now: host.hand.show_code("scanner", "MS1SECRETCODE", now))
        assert await test == 0
    assert "Show it a card or a code within 5 seconds." in person.told
    assert "A code of 13 characters was read." in person.told
    assert "SECRET" not in person.text


async def test_a_reader_to_which_nothing_is_shown_is_trouble(state: Path) -> None:
    person = Person(state)
    async with living(state / "ports/scanner", "qr_scanner"):
        assert await person.test("scanner", for_s=0.2) == 1
    assert person.told[-1] == "Nothing was read."


async def test_a_name_that_the_site_has_not_is_wrong_use(state: Path) -> None:
    person = Person(state)
    assert await person.test("bored") == 2
    assert person.told == [
        "There is no device 'bored' in the site file; it has scanner, board."
    ]


class Gateway:
    """A gateway as the command line sees it: a held folder and a socket."""

    def __init__(self, *, is_online: bool) -> None:
        self.is_online = is_online
        self.opened: list[dict[str, Any]] = []

    def status(self, _request: dict[str, Any]) -> dict[str, Any]:
        return {"devices": {"board": {"online": self.is_online}}}

    def open(self, request: dict[str, Any]) -> dict[str, Any]:
        self.opened.append(request)
        if not self.is_online:
            raise ValueError("front stays shut: its mode does not let anybody in")
        return {"seq": 7}

    async def serve(self, state: Path, person: Person, **wishes: Any) -> int:
        verbs = {"status": self.status, "open": self.open}
        server = ControlServer(state / "control.sock", verbs)
        with own_folder(state, "gateway.lock"):
            await server.open()
            try:
                return await person.test("board", **wishes)
            finally:
                await server.close()


async def test_a_running_gateway_is_asked_and_keeps_its_ports(state: Path) -> None:
    person, gateway = Person(state), Gateway(is_online=True)
    assert await gateway.serve(state, person) == 0
    assert person.told[-1] == "The gateway runs and says: board answers."
    assert gateway.opened == []


async def test_a_running_gateway_opens_the_door_and_records_it(state: Path) -> None:
    person, gateway = Person(state), Gateway(is_online=True)
    assert await gateway.serve(state, person, act=True) == 0
    [request] = gateway.opened
    assert (request["door"], request["reason"]) == ("front", "device test")
    assert request["actor"].startswith("shell:")
    assert person.asked == ["Open door 'front' now?"]
    assert person.told[-1] == "front: released. It stands in the journal."


async def test_a_running_gateway_may_refuse(state: Path) -> None:
    person, gateway = Person(state), Gateway(is_online=False)
    assert await gateway.serve(state, person, act=True) == 1
    assert "DOES NOT ANSWER" in person.text
    assert "stays shut" in person.told[-1]
    assert await gateway.serve(state, person) == 1


async def test_what_the_gateway_cannot_open_is_said(state: Path) -> None:
    person, gateway = Person(state), Gateway(is_online=True)
    assert await gateway.serve(state, person, act=True, channel=5) == 2
    assert "No door's strike hangs there" in person.told[-1]
    person = Person(state, agrees=False)
    assert await gateway.serve(state, person, act=True) == 0
    assert gateway.opened == []


async def test_a_gateway_that_does_not_answer_is_trouble(state: Path) -> None:
    person = Person(state)
    with own_folder(state, "gateway.lock"):
        assert await person.test("board") == 1
    assert "no gateway answers here" in person.told[-1]


ORDER = OpenLock(unit=1, channel=1)
SECRET = b"990105198002290017"


@pytest.mark.parametrize(
    "signal",
    [
        CardFound(unit=0),
        CardRead(unit=0, secret=Secret(bytearray(SECRET))),
        CardUnreadable(unit=0, why=UnreadableCause.TRY_AGAIN),
        CodeRead(unit=0, payload=SECRET),
        TagRead(unit=0, technology=Technology.ISO14443A, bits=32, number=SECRET[:4]),
        PinEntered(unit=0, secret=Secret(bytearray(SECRET))),
        TamperChanged(unit=0, is_tampered=True, why="lid open"),
        TamperChanged(unit=0, is_tampered=False, why=""),
        AddressConflict(unit=0, why="two answers"),
        InputChanged(unit=0, channel=1, is_active=True),
        OutputChanged(unit=0, channel=1, is_on=False),
        OrderFailed(unit=0, order=ORDER, why="too late"),
        Reachable(unit=0, detail="v2"),
        Unreachable(unit=0, why="silent"),
        Garbled(unit=0, raw=SECRET, why="noise"),
    ],
    ids=lambda signal: type(signal).__name__,
)
def test_every_signal_has_words_and_none_tells_a_secret(signal: Signal) -> None:
    words = in_words(signal)
    assert words.endswith((".", "…"))
    assert "9901" not in words
    if isinstance(signal, CardRead | PinEntered):
        signal.secret.wipe()
