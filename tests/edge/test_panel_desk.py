# SPDX-License-Identifier: Apache-2.0
"""Logging in at a real gateway, and what somebody may then have done."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from edge.accounts import lockout
from edge.accounts.checked import Checked
from edge.accounts.rights import RIGHTS
from edge.cli.control_orders import VERBS
from edge.cli.panel.opening import borrow, open_book
from edge.control.client import ControlError
from tests.accounts.hand import Hand
from tests.edge.at_work import until
from tests.edge.panel_site import PEOPLE, Site, TabletOf, panel_site

if TYPE_CHECKING:
    from pathlib import Path

PIN, OTHER, WRONG = "274916", "613950", "274917"


async def add(site: Site, name: str, role: str, **fields: str) -> str:
    answer = await site.shell("account-add", name=name, role=role, **fields)
    assert answer["state"] == "done", answer
    return str(answer["account"])


async def by_pin(tablet: TabletOf, account: str, pin: str = PIN) -> dict[str, Any]:
    return await tablet.ask("login-pin", account=account, pin=pin)


async def open_door(tablet: TabletOf) -> str:
    """Press 开门; return the refusal, "" if it opened."""
    answer = await tablet.ask("open", door="front", reason="test")
    return str(answer.get("error", ""))


async def test_a_volunteer_s_card_logs_in_and_begins_the_shift(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await TabletOf(site).pair()
        assert await open_door(tablet) == "nobody is logged in at this tablet"
        await tablet.tap_in("h-chen")
        assert await tablet.role() == "VOLUNTEER"
        assert site.on_duty() == ("h-chen",)
        silent = "the board of this door's lock does not answer"
        assert await open_door(tablet) == silent, "and not for want of a right"
        login = await site.until_told("LOGIN")
        assert (login["how"], login["role"]) == ("card", "VOLUNTEER")
        assert login["tablet"].startswith("tablet-")
        assert (await tablet.ask("logout"))["state"] == "out"
        assert await tablet.role() == ""
        assert site.on_duty() == ()
        await site.until_told("LOGOUT")
        order = [e["k"] for e in site.events("DUTY_STARTED", "LOGIN", "DUTY_ENDED")]
        assert order == ["DUTY_STARTED", "LOGIN", "DUTY_ENDED"]


async def test_a_log_in_never_ends_a_shift_that_runs(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await TabletOf(site).pair()
        site.tap("h-chen")
        await until(lambda: site.on_duty() == ("h-chen",))
        await tablet.tap_in("h-chen")
        assert site.on_duty() == ("h-chen",)


async def test_a_resident_s_tap_is_what_it_always_is(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await TabletOf(site).pair()
        assert (await tablet.ask("login-begin"))["state"] == "waiting"
        site.tap("h-wang")
        denied = await site.until_told("ACCESS_DENIED")
        assert denied["reason"] == "UNAUTHORIZED"
        assert (await tablet.ask("login-card"))["state"] == "waiting"
        site.tap("h-chen")
        await until(lambda: bool(site.runtime.controller.on_duty))
        assert (await tablet.ask("login-card"))["state"] == "in"


async def test_without_a_window_a_tap_logs_nobody_in(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await TabletOf(site).pair()
        site.tap("h-chen")
        await until(lambda: bool(site.runtime.controller.on_duty))
        assert (await tablet.ask("login-card"))["state"] == "over"
        assert await tablet.role() == ""


async def test_a_window_belongs_to_one_tablet(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        here, there = await TabletOf(site).pair(), await TabletOf(site).pair()
        assert (await here.ask("login-begin"))["state"] == "waiting"
        assert (await there.ask("login-begin"))["state"] == "busy"
        site.tap("h-chen")
        await until(lambda: bool(site.runtime.controller.on_duty))
        assert (await there.ask("login-card"))["state"] == "over"
        assert (await here.ask("login-card"))["state"] == "in"
        assert (await here.ask("login-card"))["state"] == "over", "once"


async def test_the_next_volunteer_asks_whether_the_turn_ends(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await (await TabletOf(site).pair()).tap_in("h-chen")
        assert not (await tablet.ask("session"))["is_asked"]
        site.tap("h-lin")
        await site.until_told("DUTY_STARTED", 2)
        assert (await tablet.ask("session"))["is_asked"]
        assert (await tablet.ask("handover", leaves=False))["state"] == "stays"
        assert not (await tablet.ask("session"))["is_asked"]
        assert await tablet.role() == "VOLUNTEER"
        site.runtime.desk._answered.clear()
        site.runtime.desk._ask_others("h-lin")
        assert (await tablet.ask("handover", leaves=True))["state"] == "out"
        assert site.on_duty() == ("h-lin",)
        assert await tablet.role() == ""


async def test_a_pin_logs_in_and_begins_the_shift_of_who_is_on_the_roster(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        account = await add(site, "陈姨", "VOLUNTEER", pin=PIN, holder="h-chen")
        tablet = await TabletOf(site).pair()
        assert (await by_pin(tablet, account, WRONG)) | {"ok": True} == {
            "ok": True,
            "state": "wrong",
            "left": 4,
        }
        assert (await by_pin(tablet, account))["state"] == "in"
        assert site.on_duty() == ("h-chen",)
        failed = await site.until_told("LOGIN_FAILED")
        assert (failed["actor"], failed["how"]) == (account, "pin")
        login = await site.until_told("LOGIN")
        assert (login["actor"], login["how"]) == (account, "pin")


async def test_locked_out_of_the_pin_a_card_logs_in_and_fire_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockout, "MAX_HOURLY", 6)
    async with panel_site(tmp_path) as site:
        account = await add(site, "陈姨", "VOLUNTEER", pin=PIN, holder="h-chen")
        other = await add(site, "林叔", "VOLUNTEER", pin=OTHER)
        tablet = await TabletOf(site).pair()
        for _ in range(5):
            await by_pin(tablet, account, WRONG)
        alarm = await site.until_told("WRONG_TRIES")
        assert (alarm["at"], alarm["actor"]) == ("panel", account)
        assert (alarm["tries"], alarm["wait_min"]) == (5, 1)
        told = await by_pin(tablet, account)
        assert (told["state"], told["held"], told["minutes"]) == ("waits", "account", 1)
        assert len(site.events("WRONG_TRIES")) == 1, "told when it begins"
        told = await by_pin(tablet, other, WRONG)
        assert (told["state"], told["held"]) == ("waits", "all")
        assert (await tablet.ask("emergency", state="FIRE", reason="smoke"))["ok"]
        await tablet.tap_in("h-chen")
        assert await tablet.role() == "VOLUNTEER"
        assert (await by_pin(tablet, account))["state"] == "waits"
        await tablet.tap_in("h-li")  # a manager's card lets everybody try again
        assert (await by_pin(tablet, account))["state"] == "in"


async def test_a_wait_outlives_a_restart_and_so_do_tablet_and_turn(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        account = await add(site, "陈姨", "VOLUNTEER", pin=PIN)
        tablet = await (await TabletOf(site).pair()).tap_in("h-lin")
        for _ in range(5):
            await by_pin(tablet, account, WRONG)
    async with panel_site(tmp_path) as site:
        tablet._site = site
        assert await tablet.role() == "VOLUNTEER"
        assert (await by_pin(tablet, account))["state"] == "waits"


async def test_the_panel_asserts_no_actor(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await (await TabletOf(site).pair()).tap_in("h-chen")
        for fields in ({"actor": "li"}, {"second": "li"}, {"session": "guess"}):
            keys = {"tablet": tablet.tablet, "session": tablet.session}
            wish = {"state": "LOCK_DOWN", "reason": "x"}
            with pytest.raises(ControlError):
                await site.shell("emergency", **(keys | wish | fields))
        assert (await tablet.ask("emergency", state="LOCK_DOWN", reason="x"))["ok"]
        begun = await site.until_told("EMERGENCY_STARTED")
        login = await site.until_told("LOGIN")
        assert begun["actor"] == login["actor"]


async def test_a_stranger_s_tablet_may_nothing(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        stranger = TabletOf(site)
        stranger.tablet = "x" * 43
        assert (await stranger.ask("session"))["is_paired"] is False
        verbs = [*RIGHTS, "tiles", "login-begin", "login-card", "accounts"]
        verbs += ["login-pin", "first-manager", "logout", "handover", "pair-begin"]
        verbs += ["account-add", "account-retire", "account-pin", "tablets"]
        verbs += ["hours", "roster", "shift", "farewell", "notices", "door-notice"]
        verbs += ["plan"]
        for verb in [*verbs, "tablet-retire"]:
            answer = await stranger.ask(verb, state="FIRE")
            assert answer == {"ok": False, "error": "this tablet is not paired"}, verb
        for code in ("", "0000000000", "x" * 99, "110101199003070017"):
            assert (await stranger.ask("pair", code=code, name="n"))["state"] == "wrong"


def test_every_order_is_somebody_s() -> None:
    assert set(RIGHTS) == set(VERBS)


@pytest.mark.parametrize(
    ("holder", "verb", "is_allowed"),
    [
        ("h-chen", "open", True),
        ("h-chen", "mode", False),
        ("h-chen", "accounts", False),
        ("h-chen", "pair-begin", False),
        ("h-li", "mode", True),
        ("h-li", "accounts", True),
        ("h-li", "pair-begin", True),
    ],
)
async def test_roles_may_what_is_theirs(
    tmp_path: Path, holder: str, verb: str, *, is_allowed: bool
) -> None:
    assert PEOPLE[holder] in ("VOLUNTEER", "MANAGER")
    async with panel_site(tmp_path) as site:
        tablet = await (await TabletOf(site).pair()).tap_in(holder)
        answer = await tablet.ask(verb)
        is_refused = answer.get("error") == "this is for somebody else to do"
        assert is_refused is not is_allowed, answer


async def test_some_orders_take_a_second_person(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        li = await add(site, "李站长", "MANAGER", pin=PIN, holder="h-li")
        lin = await add(site, "林叔", "VOLUNTEER", pin=OTHER, holder="h-lin")
        tablet = await (await TabletOf(site).pair()).tap_in("h-li")
        until_ms = site.runtime.clock.now().earliest_ms + 3_600_000
        wish = {"holder": "h-new", "roles": ["VOLUNTEER"], "until_ms": until_ms}

        async def order(**second: str) -> str:
            answer = await tablet.ask("local-holder", **wish, **second)
            return str(answer.get("error", ""))

        assert "second person" in await order()
        assert "somebody else" in await order(second_account=li, second_pin=PIN)
        assert "not right" in await order(second_account=lin, second_pin=WRONG)
        assert await order(second_account=lin, second_pin=OTHER) == ""
        changed = await site.until_told("LOCAL_CHANGED")
        assert (changed["actor"], changed["second"]) == (li, lin)


async def test_nobody_corrects_his_own_minutes_at_the_panel(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        lin = await add(site, "林叔", "VOLUNTEER", pin=OTHER, holder="h-lin")
        tablet = await (await TabletOf(site).pair()).tap_in("h-li")
        site.tap("h-lin")
        await site.until_told("DUTY_STARTED", 2)
        mine, his = list(site.runtime.controller.house.duty.shifts)
        for seq in (mine, his):
            answer = await tablet.ask(
                "duty-correct",
                seq=seq,
                minutes=30,
                reason="forgot",
                second_account=lin,
                second_pin=OTHER,
            )
            assert answer["error"] == "nobody corrects his own minutes"


async def test_powerful_accounts_take_two_as_soon_as_there_are_two(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await (await TabletOf(site).pair()).tap_in("h-li")
        wish = {"name": "王站长", "role": "MANAGER", "pin": PIN}
        answer = await tablet.ask("account-add", **wish)
        assert answer["state"] == "done", "the first one has nobody beside him"
        wang = str(answer["account"])
        again = {"name": "小王", "role": "INSTALLER", "pin": OTHER}
        assert "second person" in (await tablet.ask("account-add", **again))["error"]
        second = {"second_account": wang, "second_pin": PIN}
        assert (await tablet.ask("account-add", **again, **second))["state"] == "done"
        await site.until_told("SETTINGS_CHANGED", 3)
        told = [e for e in site.events("SETTINGS_CHANGED") if e.get("role")]
        assert [e.get("second") for e in told] == [None, wang]


async def test_the_label_s_code_makes_the_first_manager_once(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        code = await site.runtime.desk.book.new_first_code()
        tablet = TabletOf(site)
        paired = await tablet.ask("pair", code=code, name="前台平板")
        assert paired["is_first"] is True
        first = {"name": "李站长", "pin": PIN}
        weak = await tablet.ask("first-manager", **(first | {"pin": "123456"}))
        assert weak["state"] == "easy"
        assert (await tablet.ask("first-manager", **first))["state"] == "in"
        assert await tablet.role() == "MANAGER"
        other = TabletOf(site)
        assert (await other.ask("pair", code=code, name="n"))["state"] == "wrong"
        again = await tablet.ask("first-manager", name="x", pin=PIN)
        assert again["state"] == "done"


async def test_a_retired_account_s_card_logs_in_no_more(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        account = await add(site, "陈姨", "VOLUNTEER", holder="h-chen")
        tablet = await (await TabletOf(site).pair()).tap_in("h-chen")
        await site.shell("account-retire", account=account)
        assert await tablet.role() == ""
        assert (await tablet.ask("login-begin"))["state"] == "waiting"
        site.tap("h-chen")
        await until(
            lambda: (
                not site.runtime.controller.house.duty.logins.is_awaited(
                    site.runtime.gateway.now()
                )
            )
        )
        assert (await tablet.ask("login-card"))["state"] == "retired"


async def test_whose_card_is_withdrawn_has_no_turn_by_it(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        tablet = await (await TabletOf(site).pair()).tap_in("h-chen")
        wish = {"holder": "h-chen", "reason": "lost", "actor": "shell:li"}
        await site.shell("revoke", **wish)
        assert await tablet.role() == ""
        await site.shell("revoke", **wish, is_lifted=True)
        assert await tablet.role() == "VOLUNTEER"


async def test_a_slip_in_the_name_does_not_cost_the_code(tmp_path: Path) -> None:
    async with panel_site(tmp_path) as site:
        code = (await site.shell("pair-begin"))["code"]
        tablet = TabletOf(site)
        assert "name" in (await tablet.ask("pair", code=code, name=""))["error"]
        assert (await tablet.ask("pair", code=code, name="t"))["state"] == "paired"


async def test_accounts_that_cannot_be_read_keep_no_door_shut(tmp_path: Path) -> None:
    async with panel_site(tmp_path):
        pass
    pepper = tmp_path / "state" / "keys" / "panel-pepper"
    pepper.unlink()
    pepper.mkdir()
    async with panel_site(tmp_path) as site:
        fault = await site.until_told("STORAGE_FAULT")
        assert fault["at"] == "accounts"
        status = await site.shell("status")
        assert status["panel"] == {
            "has_manager": False,
            "tablets": 0,
            "awaits_card": False,
            "notice": "",
            "set_aside": True,
        }
        with pytest.raises(ControlError, match="board of this door"):
            await site.shell("open", door="front", actor="shell:li", reason="test")


async def test_a_gateway_without_its_disk_still_knows_its_people(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        account = await add(site, "林叔", "VOLUNTEER", pin=OTHER)
        plan = site.runtime.settings.plan()
    memory = tmp_path / "memory"
    memory.mkdir()
    borrow(tmp_path / "state", memory)
    async with AsyncExitStack() as stack:
        book, fault = await open_book(stack, memory, plan, Hand().now())
        assert fault == ""
        verdict = await book.check_pin(account, OTHER, Hand().now())
        assert verdict.checked is Checked.RIGHT
    async with AsyncExitStack() as stack:
        empty = tmp_path / "empty"
        empty.mkdir()
        borrow(tmp_path / "nowhere", empty)
        book, fault = await open_book(stack, empty, plan, Hand().now())
        assert (fault, book.accounts) == ("", {})
