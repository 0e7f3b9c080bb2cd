# SPDX-License-Identifier: Apache-2.0
"""A new site key for a box at work: both are good, and the old one goes when it may."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.feed import FeedRow
from cloud_sync.platform.enrolment import site_keys
from drivers.device import CodeRead
from edge.cli.key_files import read_tokens
from edge.cli.keys.install import finish
from edge.cli.keys.site_keys import merged, without
from edge.core.chain import canonical
from edge.core.event import EventKind
from edge.core.stimulus import DeviceChanged, Scan
from tests.edge.at_work import PLATFORM_KEYS, SITE_KEYS, at_work, until
from tests.edge.keys.enrolling import BoxAtSite, give_feed, office
from tests.edge.keys.test_power_cuts import run
from tests.edge.keys.test_sealed_feed import (
    GATEWAY,
    SITE,
    Feeding,
    held,
    sealed,
    state,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from edge.cli.runtime import Runtime

__all__ = ["state"]

OLD = {"n": 1, **SITE_KEYS}
NEW = {"site_key": "33" * 32, "epoch_salt": "44" * 16}
THIRD = {"site_key": "55" * 32, "epoch_salt": "66" * 16}
#: Codes of one person: the same one within three seconds of its grant tells nothing.
CODES = (b"WANG-0", b"WANG-1", b"WANG-2", b"WANG-3")
BOARD = DeviceChanged(device="board", is_online=True, detail="", doors=("front",))


def given(number: int, keys: dict[str, str], *former: dict[str, Any]) -> dict[str, Any]:
    return {"n": number, **keys, "former": list(former)}


MERGED = [
    ("the first", None, 1, NEW, (), given(1, NEW)),
    ("the same again", given(1, SITE_KEYS), 1, SITE_KEYS, (), given(1, SITE_KEYS)),
    ("a new one", given(1, SITE_KEYS), 2, NEW, (OLD,), given(2, NEW, OLD)),
    ("unlisted, and kept", given(1, SITE_KEYS), 2, NEW, (), given(2, NEW, OLD)),
    (
        "one that was missed",
        given(1, SITE_KEYS),
        3,
        THIRD,
        ({"n": 2, **NEW},),
        given(3, THIRD, OLD, {"n": 2, **NEW}),
    ),
    (
        "the same, numbered anew",
        given(1, SITE_KEYS),
        2,
        SITE_KEYS,
        (),
        given(2, SITE_KEYS),
    ),
    ("an enrolment between two", None, 2, NEW, (OLD,), given(2, NEW, OLD)),
    ("older", given(2, NEW), 1, SITE_KEYS, (), "older than 2"),
    ("another of that number", given(2, NEW), 2, THIRD, (), "held as number 2"),
    (
        "another former of that number",
        given(2, NEW, OLD),
        3,
        THIRD,
        ({**OLD, "site_key": "77" * 32},),
        "held as number 1",
    ),
    (
        "too many",
        given(4, NEW),
        5,
        THIRD,
        tuple({**NEW, "n": n, "site_key": f"0{n}" * 32} for n in (1, 2, 3)),
        "4 keys of before, 1 first",
    ),
]


@pytest.mark.parametrize(
    ("before", "number", "keys", "former", "after"),
    [case[1:] for case in MERGED],
    ids=[case[0] for case in MERGED],
)
def test_what_the_file_is_to_be(
    before: dict[str, Any] | None,
    number: int,
    keys: dict[str, str],
    former: Iterable[dict[str, Any]],
    after: dict[str, Any] | str,
) -> None:
    found = merged(before, number, {**keys, "former": list(former)})
    if isinstance(after, str):
        assert isinstance(found, str)
        assert after in found
        assert "33" not in found, "no reason tells a key"
    else:
        wanted = {"n": number, **keys, "former": after["former"]}
        assert found == wanted


def test_a_key_is_given_up_by_its_number_and_no_other() -> None:
    both = given(3, THIRD, OLD, {"n": 2, **NEW})
    assert without(both, 1) == given(3, THIRD, {"n": 2, **NEW})
    assert without(both, 7) == both


def test_both_or_the_old_one_after_a_cut_at_every_step(
    state: Path, tmp_path: Path
) -> None:
    row = sealed(state, "site", 2, {**NEW, "former": [OLD]})
    box, found = (state / "keys" / "box.json").read_text(), []
    for number in range(1, 100):
        folder = tmp_path / str(number)
        (folder / "keys").mkdir(parents=True, mode=0o700)
        for name, text in (("box.json", box), ("site.json", json.dumps(SITE_KEYS))):
            (folder / "keys" / name).touch(0o600)
            (folder / "keys" / name).write_text(text)
        code = run("site-key", number, folder, GATEWAY, SITE, json.dumps(row))
        finish(folder)
        tokens = read_tokens(folder / "keys" / "site.json", SITE)
        numbers = (tokens.number, *(each.number for each in tokens.former))
        known = {tokens.site_key, *(each.site_key for each in tokens.former)}
        assert bytes.fromhex(SITE_KEYS["site_key"]) in known, number
        is_numbered = (folder / "keys" / "sealed.json").exists()
        assert is_numbered is (numbers == (2, 1)), number
        found.append(numbers)
        if code == 0:
            break
    assert found == sorted(found)
    assert found[0] == (1,)
    assert (2, 1) in found[:-1]


def wang(state: Path, number: int, **more: Any) -> FeedRow:
    """Return the row of somebody with codes, under one of the keys that are held."""
    credentials = [f"QR:{token(state, number, code).hex()}" for code in CODES]
    body = {
        "enabled": 1,
        "extended": 0,
        "language": "zh-CN",
        "roles": ["VOLUNTEER"],
        "credentials": credentials,
    }
    text = canonical(body | more)
    return FeedRow(kind="holder", id="wang", ver=1, body=text, digest=b"")


def lost(token: bytes, **more: Any) -> FeedRow:
    text = canonical({"token": token.hex(), "reason": "LOST"} | more)
    return FeedRow(kind="revocation", id="r", ver=1, body=text, digest=b"")


ALWAYS = FeedRow(
    kind="policy",
    id="p",
    ver=1,
    body=canonical({"role": "VOLUNTEER", "places": "*", "hours": ""}),
    digest=b"",
)


def token(state: Path, number: int, code: bytes = CODES[0]) -> bytes:
    """Return a code's token under one of the keys that the box holds."""
    tokens = read_tokens(state / "keys" / "site.json", SITE)
    made = tokens.code(code)
    return dict([(made.key, made.token), *made.former])[number]


async def events(runtime: Runtime, kind: EventKind) -> list[dict[str, Any]]:
    await runtime.gateway.drain()
    records = await runtime.journal.read(0, max_rows=999, max_bytes=10**6)
    cores = [json.loads(record.core) for record in records]
    return [core for core in cores if core["k"] == kind.value]


async def told(runtime: Runtime) -> list[tuple[Any, ...]]:
    found = await events(runtime, EventKind.SITE_KEY_CHANGED)
    return [(each["what"], each["key"], each.get("former")) for each in found]


async def scan(runtime: Runtime, code: bytes = CODES[0]) -> str:
    """Show a code at the door; return what came of it."""
    kinds = (EventKind.ACCESS_GRANTED, EventKind.ACCESS_DENIED)
    before = [len(await events(runtime, kind)) for kind in kinds]
    now_s = runtime.clock.now().monotonic_s
    read = CodeRead(unit=0, payload=code)
    shown = runtime.bindings.translate("ports/scanner", read, now_s)
    assert isinstance(shown, Scan)
    runtime.gateway.arrive(BOARD)
    runtime.gateway.offer("outside", shown)
    for _ in range(400):
        await asyncio.sleep(0.01)
        found = [await events(runtime, kind) for kind in kinds]
        for kind, now, then in zip(kinds, found, before, strict=True):
            if len(now) > then:
                return str(now[-1].get("reason", kind.value))
    raise AssertionError("nobody answered")


async def test_a_box_at_work_takes_a_new_key_and_knows_everybody_by_both(
    state: Path,
) -> None:
    rotated = sealed(state, "site", 2, {**NEW, "former": [OLD]})
    async with at_work(state) as runtime:
        feeding = Feeding(runtime)
        before = wang(state, 1)
        await feeding.give(rows=[before, ALWAYS])
        assert await scan(runtime) == "ACCESS_GRANTED"
        assert await told(runtime) == []
        await feeding.give(rotated, rows=[before, ALWAYS])
        await until(lambda: runtime.controller.house.site_keys.current == 2)
        assert await told(runtime) == [("taken", 2, "1")]
        assert held(state)["site.json"] == given(2, NEW, OLD)
        assert await scan(runtime, CODES[1]) == "ACCESS_GRANTED", "of the old key"
        old, new = (token(state, number, CODES[3]) for number in (1, 2))
        assert new != old
        after = wang(state, 2, key=2)
        await feeding.give(rotated, rows=[after, ALWAYS])
        assert await scan(runtime, CODES[2]) == "ACCESS_GRANTED"
        await feeding.give(rotated, rows=[after, ALWAYS, lost(old)])
        assert await scan(runtime, CODES[3]) == "CREDENTIAL_REVOKED"
        await feeding.give(rotated, rows=[before, ALWAYS, lost(new, key=2)])
        assert await scan(runtime, CODES[3]) == "CREDENTIAL_REVOKED"
        assert await feeding.refusals() == []
    async with at_work(state) as runtime:
        assert await scan(runtime, CODES[3]) == "CREDENTIAL_REVOKED"
        assert await told(runtime) == [("taken", 2, "1")], "once, whatever restarts"


async def test_what_a_cut_left_untold_is_told_at_the_start(state: Path) -> None:
    (state / "keys" / "site.json").write_text(json.dumps(given(2, NEW, OLD)))
    async with at_work(state) as runtime:
        await until(lambda: runtime.controller.house.site_keys.current == 2)
        assert await told(runtime) == [("taken", 2, "1")]


async def test_the_old_key_goes_when_nothing_is_of_it_any_more(state: Path) -> None:
    rotated = sealed(state, "site", 2, {**NEW, "former": [OLD]})
    retired = sealed(state, "site", 2, NEW)
    async with at_work(state) as runtime:
        feeding, before, old = Feeding(runtime), wang(state, 1), token(state, 1)
        await feeding.give(rotated, rows=[before, ALWAYS])
        await until(lambda: runtime.controller.house.site_keys.current == 2)
        after, new = wang(state, 2, key=2), token(state, 2)

        async def is_kept(*bodies: dict[str, Any], rows: list[FeedRow]) -> bool:
            """Say whether the old key outlives this feed, once it was looked at."""
            number = feeding.revision + 9
            command = sealed(state, "command", number, PLATFORM_KEYS)
            await feeding.give(*bodies, command, rows=rows)
            numbers = (state / "keys" / "sealed.json").read_text
            await until(lambda: f'"command": {number}' in numbers())
            await asyncio.sleep(0.05)
            return bool(held(state)["site.json"]["former"])

        # The platform lists it; then rows are of it still, whether they say so or not.
        assert await is_kept(rotated, rows=[after, ALWAYS])
        assert await is_kept(retired, rows=[wang(state, 1, key=1), ALWAYS])
        assert await is_kept(retired, rows=[before, ALWAYS])
        assert await is_kept(retired, rows=[after, lost(old)])
        # A card that was bound here and not shown since.
        local = runtime.controller.house.local
        local.bind(old, "wang", 1)
        assert await is_kept(retired, rows=[ALWAYS])
        local.unbind({"wang"})
        assert not await is_kept(retired, rows=[after, lost(new, key=2)])
        assert await told(runtime) == [("taken", 2, "1"), ("given_up", 1, None)]
        assert held(state)["site.json"] == given(2, NEW)
        await feeding.give(retired, rows=[after, ALWAYS])
        assert await scan(runtime) == "ACCESS_GRANTED"
        await feeding.give(retired, rows=[before, ALWAYS])
        assert await scan(runtime, CODES[1]) == "CREDENTIAL_NOT_FOUND"
        assert SITE_KEYS["site_key"] not in "".join(map(str, held(state).values()))
    async with at_work(state) as runtime:
        assert await told(runtime) == [("taken", 2, "1"), ("given_up", 1, None)]


async def test_rows_of_a_key_that_the_box_lacks_are_named_and_good_once_it_comes(
    state: Path,
) -> None:
    (state / "keys" / "site.json").write_text(json.dumps(given(2, NEW)))
    after = wang(state, 2, key=2)
    (state / "keys" / "site.json").write_text(json.dumps(SITE_KEYS))
    async with at_work(state) as runtime:
        feeding = Feeding(runtime)
        await feeding.give(rows=[after, ALWAYS])
        assert await scan(runtime) == "CREDENTIAL_NOT_FOUND"
        [refusal] = await feeding.refusals()
        assert refusal == ("SITE_KEY", "rows of site key 2, and 1 is held")
        rotated = sealed(state, "site", 2, {**NEW, "former": [OLD]})
        await feeding.give(rotated, rows=[after, ALWAYS])
        await until(lambda: runtime.controller.house.site_keys.current == 2)
        assert await scan(runtime) == "ACCESS_GRANTED"


async def test_another_key_under_the_number_that_is_held_has_no_effect(
    state: Path,
) -> None:
    async with at_work(state) as runtime:
        feeding = Feeding(runtime)
        rotation = sealed(state, "rotation", 1, {"rotation": ["5e" * 32]})
        await feeding.give(sealed(state, "site", 1, NEW), rotation)
        await until((state / "keys" / "sealed.json").exists)
        for _ in range(200):
            if await feeding.refusals():
                break
            await asyncio.sleep(0.01)
        why = "site key 1: another key than the one held as number 1"
        assert await feeding.refusals() == [("SITE_KEY", why)]
        assert held(state)["site.json"] == SITE_KEYS
        assert held(state)["sealed.json"] == {"rotation": 1}


def test_a_box_that_enrols_between_two_site_keys_gets_both(tmp_path: Path) -> None:
    with office(tmp_path / "platform") as at:
        box = BoxAtSite(tmp_path / "box")
        assert box.enrol(at, at.claim(), at.confirm)[0] == 0
        old = box.json("site.json")
        at.do(give_feed)
        assert at.do(lambda work: site_keys.rotate(work, at.vault, SITE)) == 2
        claim = at.claim(replaces=True)
        code, heard = box.enrol(at, claim, at.confirm, replaces=True)
        assert code == 0, heard.said
        found = box.json("site.json")
        assert (found["n"], found["former"]) == (2, [{n: old[n] for n in OLD}])
        assert found["site_key"] != old["site_key"]
        assert box.json("sealed.json")["site"] == 2
        other = BoxAtSite(tmp_path / "other")
        code, heard = other.enrol(
            at, at.claim(replaces=True), at.confirm, replaces=True
        )
        assert code == 0, heard.said
        assert other.json("site.json") == found
