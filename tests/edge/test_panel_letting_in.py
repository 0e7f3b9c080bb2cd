# SPDX-License-Identifier: Apache-2.0
"""What a panel may read and do of letting somebody in, at a gateway at work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge.cli.status import status
from edge.core.credential import Credential, CredentialKind
from edge.core.people.roster import Cursor, RosterBuilder
from edge.core.people.roster_row import BookingRow
from edge.core.stimulus import DeviceChanged, Scan
from tests.edge.panel_site import PEOPLE, Site, TabletOf, panel_site, people

if TYPE_CHECKING:
    from pathlib import Path

HOUR_MS = 3_600_000
DUE_FEN = 1_250


def book(site: Site) -> None:
    """Let 王 have a booking for now that is not paid for."""
    now_ms = site.runtime.gateway.now().earliest_ms
    builder = RosterBuilder()
    builder.add(people())
    booking = BookingRow(
        booking_id="b-wang",
        holder_id="h-wang",
        space_id="hall",
        from_ms=now_ms - HOUR_MS,
        to_ms=now_ms + HOUR_MS,
        party=1,
        is_confirmed=True,
        due_fen=DUE_FEN,
    )
    builder.add([booking])
    roster = builder.build(Cursor("0001-00000000", 2))
    site.runtime.gateway.do(lambda controller, now: controller.adopt(roster, now))


def plug(site: Site) -> None:
    """Let the board of the door's lock answer."""
    board = DeviceChanged(device="board", is_online=True, detail="", doors=("front",))
    site.runtime.gateway.do(lambda controller, now: controller.handle(board, now))


def scan(site: Site, holder: str) -> None:
    """Show somebody's card outside."""
    token = list(PEOPLE).index(holder).to_bytes(16, "big")
    card = Credential(kind=CredentialKind.CARD, token=token)
    now_s = site.runtime.gateway.now().monotonic_s
    shown = Scan(access_point="outside", credential=card, received_s=now_s)
    assert site.runtime.gateway.offer("scanner", shown)


async def test_who_could_not_pay_is_a_sum_at_a_door_and_is_let_in_once(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        plug(site)
        book(site)
        front = await TabletOf(site).pair()
        for verb in ("letin", "let-in-paid", "correct-entry"):
            answer = await front.ask(verb, seq=1, persons=1, reason="HELP")
            assert "nobody is logged in" in answer["error"], verb
        await front.tap_in("h-chen")
        scan(site, "h-wang")
        denied = await site.until_told("ACCESS_DENIED")
        assert denied["reason"] == "PAYMENT_DUE"
        told = await front.ask("letin")
        [due] = told["due"]
        assert due == {"seq": due["seq"], "door": "front", "fen": DUE_FEN}
        assert "wang" not in str(told), "whose it is stays at the gateway"
        paid = await front.ask("let-in-paid", seq=due["seq"])
        assert paid["ok"], paid
        entry = await site.until_told("MANUAL_ENTRY")
        assert (entry["cash_fen"], entry["reason"]) == (DUE_FEN, "PAID_IN_CASH")
        assert (await site.until_told("CASH_NOTED"))["fen"] == DUE_FEN
        again = await front.ask("let-in-paid", seq=due["seq"])
        assert "not known any more" in again["error"]
        assert (await front.ask("letin"))["due"] == []


async def test_an_entry_is_read_and_corrected_by_who_is_on_duty(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        plug(site)
        front = await (await TabletOf(site).pair()).tap_in("h-chen")
        opened = await front.ask("open", door="front", reason="HELP", count=2)
        [entry] = (await front.ask("letin"))["entries"]
        assert entry == {
            "seq": opened["seq"],
            "door": "front",
            "persons": 2,
            "reason": "HELP",
        }
        right = {"seq": entry["seq"], "persons": 1, "reason": "STAFF"}
        assert (await front.ask("correct-entry", **right))["ok"]
        fixed = await site.until_told("ENTRY_CORRECTED")
        written = await site.until_told("MANUAL_ENTRY")
        assert fixed["actor"] == written["actor"]
        assert (fixed["cause"], fixed["was"]) == (entry["seq"], 2)
        claimed = await front.ask("correct-entry", **right, actor="h-li")
        assert "the gateway itself knows" in claimed["error"]


async def test_a_status_counts_rooms_and_names_nobody(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        book(site)
        shown = status(site.runtime)
        room = shown["rooms"]["hall"]
        assert (room["inside"], room["doors"]) == (0, ["front"])
        [[from_ms, to_ms]] = room["next"]
        assert to_ms - from_ms == 2 * HOUR_MS
        assert (shown["calls"], shown["awaiting"], shown["notices"]) == ({}, [], [])
        assert "wang" not in str(shown)
