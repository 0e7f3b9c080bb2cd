# SPDX-License-Identifier: Apache-2.0
"""Accounts, tablets and turns on a real file, with a clock in the hand."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from edge.accounts import pins
from edge.accounts.book import Book, NotKeptError
from edge.accounts.checked import Checked
from edge.accounts.codes import PAIRING_LIFE_S, PairingCodes, hash_of, shown, typed
from edge.accounts.lockout import MAX_HOURLY, MAX_WRONG
from edge.accounts.people import Role, name_of
from edge.accounts.pins import Pins, flaw_of, read_pepper
from edge.accounts.sessions import IDLE_S, LONGEST_S, Sessions
from edge.storage.accounts_file import open_accounts
from edge.storage.connection import open_inline
from tests.accounts.hand import Hand

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from edge.accounts.people import Account, Session, Tablet

PEPPER = b"p" * 32
PIN, WRONG = "274916", "274917"


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash fast: what a guess costs is not what these tests are about."""
    monkeypatch.setattr(pins, "SCRYPT_N", 2)


@asynccontextmanager
async def opened(folder: Path, hand: Hand) -> AsyncIterator[Book]:
    async with open_accounts(folder / "accounts.db", open_inline) as found:
        sessions = Sessions(closing_min=22 * 60, utc_offset_ms=8 * 3_600_000)
        book = Book(Pins(PEPPER), sessions, found.store)
        await book.load(hand.now())
        yield book


async def chen(book: Book) -> Account:
    return await book.add(name="陈姨", role=Role.VOLUNTEER, holder="h-1", pin=PIN)


async def turn(
    book: Book, tablet: Tablet, hand: Hand, role: Role, *, has_shift: bool = False
) -> tuple[Session, str]:
    return await book.begin_turn(
        tablet,
        hand.now(),
        account=None,
        holder="h-1",
        role=role,
        has_shift=has_shift,
    )


async def test_what_was_set_up_is_there_after_a_restart(tmp_path: Path) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        assert not book.accounts, "there is no account that nobody made"
        account = await chen(book)
        tablet, secret = await book.pair("前台平板")
    hand.restart()
    async with opened(tmp_path, hand) as book:
        assert book.accounts == {account.id: account}
        assert book.tablet_of(secret) == tablet
        verdict = await book.check_pin(account.id, PIN, hand.now())
        assert verdict.checked is Checked.RIGHT


async def test_nothing_in_the_file_opens_anything(tmp_path: Path) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        await chen(book)
        tablet, secret = await book.pair("前台平板")
        _, turns = await turn(book, tablet, hand, Role.VOLUNTEER)
        code = await book.new_first_code()
    files = sorted(tmp_path.glob("accounts.db*"))  # noqa: ASYNC240  a test's own
    kept = b"".join(path.read_bytes() for path in files)
    for word in (PIN, secret, turns, code):
        assert word.encode() not in kept


async def test_ten_thousand_guesses_come_to_twenty_looks_and_survive_restarts(
    tmp_path: Path,
) -> None:
    hand, looks = Hand(), 0
    async with opened(tmp_path, hand) as book:
        names = [
            (await book.add(name=f"n{n}", role=Role.VOLUNTEER, pin=PIN)).id
            for n in range(5)
        ]
    for _ in range(10):
        async with opened(tmp_path, hand) as book:
            for number in range(1_000):
                name = names[number % 5]
                verdict = await book.check_pin(name, WRONG, hand.now())
                looks += verdict.checked is Checked.WRONG
                hand.wait(0.3)
        hand.restart()
    assert looks <= MAX_HOURLY
    assert hand.utc_ms


async def test_a_guess_is_on_disk_before_it_is_looked_at(tmp_path: Path) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        account = await chen(book)
        looked: list[int] = []
        right = book._pins.is_right

        async def seen(pin: str, kept: str) -> bool:
            with sqlite3.connect(tmp_path / "accounts.db") as disk:
                [(body,)] = disk.execute("SELECT body FROM entry WHERE id='lockout'")
            looked.append(body.count("boot-1"))
            return await right(pin, kept)

        book._pins.is_right = seen  # type: ignore[method-assign]
        for _ in range(MAX_WRONG):
            await book.check_pin(account.id, WRONG, hand.now())
    assert looked == [2, 3, 4, 5, 6], "one entry a guess, and the last one's moment"


async def test_a_disk_that_fails_gives_no_free_guess(tmp_path: Path) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        account = await chen(book)
        await book._store._connection.execute("PRAGMA query_only = 1")
        with pytest.raises(NotKeptError):
            await book.check_pin(account.id, PIN, hand.now())
        with pytest.raises(NotKeptError):
            await book.pair("另一台")
        assert len(book.tablets) == 0
        session, _ = await turn(book, _tablet(book), hand, Role.VOLUNTEER)
        assert session in book.sessions.running, "a card still logs in"


def _tablet(book: Book) -> Tablet:
    from edge.accounts.people import Tablet

    return Tablet(id="tablet-1", name="t", secret=hash_of("s"))


async def test_a_volunteer_s_turn_lasts_as_long_as_the_shift(tmp_path: Path) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        tablet, _ = await book.pair("前台平板")
        session, secret = await turn(book, tablet, hand, Role.VOLUNTEER, has_shift=True)
        hand.wait(5 * 3600)  # nobody pressed anything
        assert book.turn_of(tablet, secret, hand.now(), ("h-1",)) == session
        assert book.turn_of(tablet, secret, hand.now(), ()) is None
    hand.restart()
    async with opened(tmp_path, hand) as book:
        assert book.turn_of(tablet, secret, hand.now(), ("h-1",)) is not None


async def test_a_turn_without_a_shift_ends_at_closing_time(tmp_path: Path) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        tablet, _ = await book.pair("前台平板")
        _, secret = await turn(book, tablet, hand, Role.VOLUNTEER)
        hand.wait(7 * 3600)
        assert book.turn_of(tablet, secret, hand.now(), ()) is not None
        hand.wait(3600)  # it is past ten in the evening
        assert book.turn_of(tablet, secret, hand.now(), ()) is None


async def test_a_manager_s_turn_ends_idle_after_eight_hours_or_with_a_restart(
    tmp_path: Path,
) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        tablet, _ = await book.pair("前台平板")
        session, secret = await turn(book, tablet, hand, Role.MANAGER)
        for _ in range(int(LONGEST_S // (IDLE_S - 1))):
            hand.wait(IDLE_S - 1)
            assert book.turn_of(tablet, secret, hand.now(), ()) == session
            book.sessions.use(session, hand.now())
        hand.wait(IDLE_S - 1)
        assert book.turn_of(tablet, secret, hand.now(), ()) is None, "eight hours"
        _, idle = await turn(book, tablet, hand, Role.INSTALLER)
        hand.wait(IDLE_S)
        assert book.turn_of(tablet, idle, hand.now(), ()) is None
        _, last = await turn(book, tablet, hand, Role.MANAGER)
    async with opened(tmp_path, hand) as book:
        assert book.turn_of(tablet, last, hand.now(), ()) is None


async def test_a_turn_is_bound_to_its_tablet_and_ended_by_the_next(
    tmp_path: Path,
) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        here, _ = await book.pair("前台平板")
        there, _ = await book.pair("门口平板")
        _, first = await turn(book, here, hand, Role.MANAGER)
        assert book.turn_of(there, first, hand.now(), ()) is None
        _, second = await turn(book, here, hand, Role.MANAGER)
        assert first != second
        assert book.turn_of(here, first, hand.now(), ()) is None
        await book.retire_tablet(here)
        assert book.turn_of(here, second, hand.now(), ()) is None


async def test_who_is_retired_or_gets_another_pin_is_out_at_once(
    tmp_path: Path,
) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        tablet, _ = await book.pair("前台平板")
        account = await chen(book)
        for end in (book.set_pin(account, "194627"), book.retire(account)):
            _, secret = await book.begin_turn(
                tablet,
                hand.now(),
                account=account,
                holder="h-1",
                role=Role.VOLUNTEER,
                has_shift=True,
            )
            assert book.turn_of(tablet, secret, hand.now(), ("h-1",)) is not None
            await end
            assert book.turn_of(tablet, secret, hand.now(), ("h-1",)) is None
        verdict = await book.check_pin(account.id, "194627", hand.now())
        assert verdict.checked is Checked.UNKNOWN
        retired = book.of_holder("h-1")
        assert retired is not None
        assert retired.is_retired


async def test_the_first_code_is_spent_by_the_first_manager(tmp_path: Path) -> None:
    hand = Hand()
    async with opened(tmp_path, hand) as book:
        old = await book.new_first_code()
        code = await book.new_first_code()
        assert not book.is_first_code(old)
    async with opened(tmp_path, hand) as book:
        assert book.is_first_code(code)
        tablet, _ = await book.pair("前台平板", is_first=True)
        manager = await book.add(name="李站长", role=Role.MANAGER, pin=PIN)
        assert not book.is_first_code(code)
        assert not book.tablets[tablet.id].is_first
        with pytest.raises(ValueError, match="last manager"):
            await book.retire(manager)


async def test_a_damaged_file_is_set_aside_and_nobody_is_known(tmp_path: Path) -> None:
    (tmp_path / "accounts.db").write_bytes(b"not a database" * 100)
    async with opened(tmp_path, Hand()) as book:
        assert not book.accounts
    assert (tmp_path / "accounts.db.damaged-1").exists()


def test_a_pairing_code_is_used_once_within_ten_minutes() -> None:
    codes = PairingCodes()
    code = codes.begin("acc-1", 0.0)
    assert typed(f" {shown(code).lower()} ".strip()) == code
    assert codes.open_of("acc-1", 1.0) == (code, int(PAIRING_LIFE_S - 1))
    assert codes.use("0" * 10, 1.0) == ""
    assert codes.use(code, PAIRING_LIFE_S - 1) == "acc-1"
    assert codes.use(code, PAIRING_LIFE_S - 1) == "", "once"
    late = codes.begin("acc-1", 0.0)
    assert codes.use(late, PAIRING_LIFE_S) == ""
    first, second = codes.begin("acc-1", 700.0), codes.begin("acc-1", 700.0)
    assert codes.use(first, 701.0) == "", "the newest one counts"
    assert codes.use(second, 701.0) == "acc-1"


@pytest.mark.parametrize(
    ("pin", "flaw"),
    [
        (PIN, ""),
        ("27491", "form"),
        ("2749161", "form"),
        ("27491a", "form"),
        ("２７４９１６", "form"),
        (None, "form"),
        ("123456", "easy"),
        ("654321", "easy"),
        ("111111", "easy"),
        ("121212", "easy"),
        ("123123", "easy"),
        ("111222", "easy"),
    ],
)
def test_a_pin_has_six_digits_and_is_no_pattern(pin: object, flaw: str) -> None:
    assert flaw_of(pin) == flaw


@pytest.mark.parametrize(
    "text", ["", "  ", "陈" * 25, "a\nb\0", "110101199003070017", None, "\ud800"]
)
def test_a_name_is_short_printable_and_no_number(text: object) -> None:
    with pytest.raises(ValueError, match="name"):
        name_of(text)


async def test_a_pin_is_not_found_without_this_box_s_pepper(tmp_path: Path) -> None:
    kept = await Pins(PEPPER).hashed(PIN)
    assert await Pins(PEPPER).is_right(PIN, kept)
    assert not await Pins(b"q" * 32).is_right(PIN, kept)
    path = tmp_path / "keys" / "panel-pepper"
    pepper = read_pepper(path)
    assert pepper.is_new
    assert read_pepper(path) == (pepper.secret, False)
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(b"short")
    other = read_pepper(path)
    assert other.is_new
    assert other.secret != pepper.secret
    assert path.with_name("panel-pepper.damaged-1").read_bytes() == b"short"
    path.unlink()
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        read_pepper(path)
