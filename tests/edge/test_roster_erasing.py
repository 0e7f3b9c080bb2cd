# SPDX-License-Identifier: Apache-2.0
"""A person is erased whose rows came as changes, whatever else is on its way."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.outputs import ChangesComplete
from cloud_sync.ports import PortFaultError
from edge.core.people.layered_roster import LayeredRoster
from tests.edge.fed_site import running, second_run
from tests.edge.stage import settle
from tests.edge.test_roster_changes import Feed, wire

if TYPE_CHECKING:
    from pathlib import Path

    from tests.edge.fed_site import Site
    from tests.edge.stage import Stage

PLANTED, BOOKING = "planted-holder-4711", "planted-booking-0815"
TOKEN = "c0ffee" * 5 + "aa"
HOLDER, BOOKED = ("holder", PLANTED), ("booking", BOOKING)
SALT = bytes(16)


def person(token: str) -> dict[str, Any]:
    return {
        "enabled": 1,
        "extended": 0,
        "language": "zh",
        "roles": [],
        "credentials": [f"CARD:{token}"],
    }


def booking(holder: str) -> dict[str, Any]:
    body = {"holder": holder, "space": "hall", "state": "CONFIRMED", "party": 1}
    return body | {"from": 0, "to": 3_600_000}


async def begun(site: Site, more: dict[tuple[str, str], Any] | None = None) -> Feed:
    """Let a whole feed of forty people come."""
    feed = Feed(1)
    feed.rev = 1
    people = {("holder", f"p-{n}"): person(f"{n:032x}") for n in range(40)}
    feed.rows = {k: wire(k, 1, body) for k, body in (people | (more or {})).items()}
    await feed.send_all(site)
    return feed


async def change(
    site: Site, feed: Feed, changed: dict[tuple[str, str], dict[str, Any] | None]
) -> None:
    """Let a revision come in which these rows are new, or gone."""
    base, feed.rev = feed.cursor, feed.rev + 1
    rows = [wire(key, feed.rev, body) for key, body in changed.items()]
    for key, each in zip(changed, rows, strict=True):
        feed.rows.pop(key, None)
        if each.body:
            feed.rows[key] = each
    name = f"pull-{feed.rev}"
    await site.feed.stage(name, rows)
    told = ChangesComplete(
        snapshot=name,
        base=base,
        cursor=feed.cursor,
        hash=feed.sum,
        count=len(rows),
        total=len(feed.rows),
    )
    await site.feed.change(told)
    await settle()


async def remember(tokens: tuple[str, ...]) -> None:
    """Keep nobody out: these tests look at the roster alone."""


def people(site: Site) -> set[str]:
    """Return who of the forty, and of the planted ones, is known to the rules."""
    roster = site.stage.controller.roster
    names = [f"p-{n}" for n in range(60)] + [PLANTED]
    return {name for name in names if roster.holder(name) is not None}


def is_layered(site: Site) -> bool:
    return isinstance(site.stage.controller.roster, LayeredRoster)


def assert_gone(path: Path) -> None:
    files = b"".join(each.read_bytes() for each in path.parent.glob("roster.db*"))
    for text in (PLANTED, BOOKING, TOKEN):
        assert text.encode() not in files
    for raw in (bytes.fromhex(TOKEN)[:8], bytes.fromhex(TOKEN)[:8][::-1]):
        assert raw not in files


@pytest.mark.parametrize("is_staging", [False, True])
async def test_who_came_as_a_change_is_erased_and_the_feed_goes_on(
    tmp_path: Path, prompt_stage: Stage, *, is_staging: bool
) -> None:
    path = tmp_path / "roster.db"
    async with running(path, prompt_stage) as site:
        feed = await begun(site)
        planted = {HOLDER: person(TOKEN), BOOKED: booking(PLANTED)}
        await change(site, feed, planted | {("holder", "p-3"): None})
        assert is_layered(site)
        assert site.knows(TOKEN)
        if is_staging:
            await site.feed.stage("on its way", [wire(HOLDER, 3, person(TOKEN))])
        site.feed._kept_out.add(SALT, [PLANTED])
        assert set(await site.feed.forget(PLANTED, remember)) == {TOKEN}
        assert await site.feed.scour()
        assert_gone(path)
        assert site.store.cursor.count == 39
        assert people(site) == {f"p-{n}" for n in range(40) if n != 3}
        await change(site, feed, {("holder", "p-41"): person("41" * 16)})
        assert (site.feed.refusal, site.feed.cursor) == ("", feed.cursor)
        assert site.feed.hash == feed.sum, "it still is the platform's feed"
        held = feed.cursor
        await change(site, feed, {HOLDER: person(TOKEN) | {"extended": 1}})
        assert site.feed.cursor == held, "that row cannot add up here"
        await feed.send_all(site)
        assert (site.feed.refusal, site.feed.cursor) == ("", feed.cursor)
        assert site.store.cursor.count == 40
        assert not site.knows(TOKEN)
        await change(site, feed, {HOLDER: None, BOOKED: None})
        await feed.send_all(site)
        assert not site.feed._kept_out, "the platform has forgotten him, too"
        assert await site.feed.scour()
    assert_gone(path)
    async with second_run(path, prompt_stage) as again:
        assert people(again) == {f"p-{n}" for n in (*range(40), 41) if n != 3}


async def test_who_had_left_and_is_erased_does_not_come_back_with_a_change(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    path = tmp_path / "roster.db"
    async with running(path, prompt_stage) as site:
        feed = await begun(site, {HOLDER: person(TOKEN)})
        await change(site, feed, {HOLDER: None})
        await site.feed.stage("on its way", [wire(("holder", "p-9"), 3, person("9"))])
        await site.feed.forget(PLANTED, remember)
        assert await site.feed.scour()
        assert_gone(path)
        await change(site, feed, {("holder", "p-41"): person("41" * 16)})
        assert site.feed.refusal == ""
        assert not site.knows(TOKEN)
        assert PLANTED not in people(site)


async def test_changes_of_which_a_part_went_are_not_taken(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    async with running(tmp_path / "roster.db", prompt_stage) as site:
        feed = await begun(site)
        base, feed.rev = feed.cursor, 2
        await site.feed.stage("two", [wire(("holder", "p-1"), 2, None)])
        await site.feed.forget(PLANTED, remember)
        await site.feed.stage("two", [wire(("holder", "p-2"), 2, None)])
        part = ChangesComplete(
            snapshot="two",
            base=base,
            cursor=feed.cursor,
            hash=b"",  # more is to come
            count=2,
            total=38,
        )
        await site.feed.change(part)
        assert site.feed.cursor == base
        assert "on their way" in site.feed.refusal


async def test_a_fold_that_fails_anywhere_is_done_the_next_time(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    path = tmp_path / "roster.db"
    async with running(path, prompt_stage) as site:
        feed = await begun(site)
        for number in range(1, 40):
            key = ("holder", f"p-{40 + number % 20}")
            await change(site, feed, {key: person(f"{number + 99:032x}")})
            assert is_layered(site)
            site.disk.fail_after(number)
            with suppress(PortFaultError):
                await site.feed.fold()
            site.disk.mend()
            with suppress(sqlite3.Error):
                await site.disk.execute("ROLLBACK")  # what the broken disk left open
            await site.feed.fold()
            assert not is_layered(site)
            known = {f"p-{n}" for n in range(60) if ("holder", f"p-{n}") in feed.rows}
            assert people(site) == known, number
    async with second_run(path, prompt_stage) as again:
        assert people(again) == known


async def test_a_fold_takes_back_nothing_that_the_platform_said(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    async with running(tmp_path / "roster.db", prompt_stage) as site:
        feed = await begun(site)
        await change(site, feed, {("holder", "p-41"): person("41" * 16)})
        await site.stage.clock.stall(1800)
        await site.feed.confirm()
        said_ms = site.feed.confirmed_ms
        assert site.store.cursor.applied_ms < said_ms
        await site.feed.fold()
        assert site.feed.confirmed_ms == said_ms


async def test_layers_too_broken_for_one_stay_two(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    path = tmp_path / "roster.db"
    async with running(path, prompt_stage) as site:
        feed = await begun(site)
        for start in (50, 70, 90):
            keys = [("holder", f"broken-{n}") for n in range(start, start + 18)]
            await change(site, feed, {key: {"holder": 7} for key in keys})
            assert site.feed.refusal == ""
        await site.feed.fold()
        assert people(site) == {f"p-{n}" for n in range(40)}
    async with second_run(path, prompt_stage) as again:
        assert people(again) == {f"p-{n}" for n in range(40)}


async def test_nobody_is_forgotten_while_the_rules_cannot_do_without_him(
    tmp_path: Path, prompt_stage: Stage
) -> None:
    async with running(tmp_path / "roster.db", prompt_stage) as site:
        feed = await begun(site)
        for start in (50, 70, 90):
            keys = [("holder", f"broken-{n}") for n in range(start, start + 18)]
            await change(site, feed, {key: {"holder": 7} for key in keys})
        for _ in range(2):  # his row is gone the second time, and he is known still
            with pytest.raises(PortFaultError, match="next snapshot mends it"):
                await site.feed.forget("p-3", remember)
            assert "p-3" in people(site)
        feed.rows = {key: each for key, each in feed.rows.items() if "p-" in key[1]}
        feed.rev += 1
        await feed.send_all(site)
        await site.feed.forget("p-3", remember)
        assert people(site) == {f"p-{n}" for n in range(40)} - {"p-3"}
