# SPDX-License-Identifier: Apache-2.0
"""Sealed keys in the feed: used at once, kept through restarts, or told and let be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cloud_sync.feed import FeedCursor, FeedRow
from cloud_sync.outputs import SnapshotComplete
from cloud_sync.sealing import SealedKeys, seal
from edge.cli.box_key import Box
from edge.cli.keys.sealed import Lock, open_rows
from edge.core.chain import canonical
from edge.core.event import EventKind
from tests.edge.at_work import PLATFORM_KEYS, SITE_KEYS, at_work, until
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from edge.cli.runtime import Runtime

GATEWAY, SITE = "gw-7", "hall-7"
ROTATION = {"rotation": ["5e" * 32]}
NEW_KEY = Ed25519PrivateKey.from_private_bytes(b"n" * 32).public_key()
BOTH = {**PLATFORM_KEYS, "k2": NEW_KEY.public_bytes_raw().hex()}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(TEXT, encoding="utf-8")
    keys = tmp_path / "state" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (keys / "site.json").touch(0o600)
    (keys / "site.json").write_text(json.dumps(SITE_KEYS))
    (keys / "platform.json").write_text(json.dumps(PLATFORM_KEYS))
    return tmp_path / "state"


def sealed(
    state: Path, use: str, number: int, keys: dict[str, Any], **changes: Any
) -> dict[str, Any]:
    """Return the body of a row, sealed to the box of that folder."""
    words: dict[str, Any] = {
        "gateway": GATEWAY,
        "site": SITE,
        "use": use,
        "number": number,
    }
    public = changes.pop("to", None) or Box(state).key().sealing_public.hex()
    content = SealedKeys(**(words | changes), keys=keys)
    return {"use": use, "n": number, "jwe": seal(content, public)}


class Feeding:
    """Gives a running gateway snapshots, each a revision on."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.revision = runtime.feed.cursor.rev

    async def give(self, *bodies: dict[str, Any], rows: Sequence[FeedRow] = ()) -> None:
        self.revision += 1
        name = f"s{self.revision}"
        rows = [
            *rows,
            *(
                FeedRow(kind="key", id=str(at), ver=1, body=canonical(body), digest=b"")
                for at, body in enumerate(bodies)
            ),
        ]
        feed = self.runtime.feed
        await feed.stage(name, rows)
        cursor = FeedCursor(epoch="0001-00000001", rev=self.revision)
        whole = SnapshotComplete(
            snapshot=name, cursor=cursor, hash=bytes(32), count=len(rows)
        )
        await feed.complete(whole)
        assert not feed.refusal

    async def refusals(self) -> list[tuple[str, str]]:
        await self.runtime.gateway.drain()
        records = await self.runtime.journal.read(0, max_rows=999, max_bytes=10**6)
        cores = [json.loads(record.core) for record in records]
        kind = EventKind.PLATFORM_REFUSED.value
        return [(c["refusal"], c["why"]) for c in cores if c["k"] == kind]


async def installed(state: Path, **numbers: int) -> None:
    """Wait until exactly these keys are in place, and nothing is under way."""

    def is_so() -> bool:
        is_under_way = (state / "keys" / "incoming.json").exists()
        return not is_under_way and held(state).get("sealed.json") == numbers

    await until(is_so)


def held(state: Path) -> dict[str, Any]:
    folder = state / "keys"
    return {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}


async def test_keys_are_used_at_once_and_after_a_restart(state: Path) -> None:
    rotation = sealed(state, "rotation", 1, ROTATION)
    command = sealed(state, "command", 1, BOTH)
    async with at_work(state) as runtime:
        await Feeding(runtime).give(rotation, command)
        await installed(state, rotation=1, command=1)
        assert held(state)["tickets.json"] == {"keys": [], **ROTATION}
        assert held(state)["platform.json"] == BOTH
        await until(lambda: set(runtime.line.keys._keys) == {"k1", "k2"})
    async with at_work(state) as runtime:
        assert set(runtime.line.keys._keys) == {"k1", "k2"}
        feeding = Feeding(runtime)
        assert await feeding.refusals() == []
        await feeding.give(sealed(state, "command", 2, {"k2": BOTH["k2"]}), rotation)
        await until(lambda: set(runtime.line.keys._keys) == {"k2"})


async def test_what_a_power_cut_left_in_the_feed_is_taken_at_the_start(
    state: Path,
) -> None:
    async with at_work(state) as runtime:
        runtime.feed.on_adopted = lambda: None  # the power goes before it looks
        await Feeding(runtime).give(sealed(state, "rotation", 1, ROTATION))
        assert "sealed.json" not in held(state)
    async with at_work(state):
        await installed(state, rotation=1)


async def test_what_is_hostile_or_mistaken_has_no_effect_and_a_name(
    state: Path,
) -> None:
    async with at_work(state) as runtime:
        feeding = Feeding(runtime)
        await feeding.give(sealed(state, "rotation", 5, ROTATION))
        await installed(state, rotation=5)
        before = held(state)
        other = sealed(state, "rotation", 6, {"rotation": ["77" * 32]})
        stranger = "09" + "00" * 31
        mistaken = [
            ("UNSEALING", sealed(state, "rotation", 6, ROTATION, to=stranger)),
            ("OLDER", sealed(state, "rotation", 4, ROTATION)),
            ("GATEWAY", sealed(state, "rotation", 6, ROTATION, gateway="gw-8")),
            ("SITE", sealed(state, "rotation", 6, ROTATION, site="hall-8")),
            ("BODY", sealed(state, "site", 2, dict.fromkeys(SITE_KEYS, "33"))),
            ("SITE_KEY", sealed(state, "site", 1, OTHER_SITE_KEYS)),
            ("BODY", other | {"n": 7}),
            ("BODY", other | {"use": "command"}),
            ("BODY", sealed(state, "rotation", 6, {"rotation": ["00"]})),
            ("BODY", sealed(state, "rotation", 6, {"rotation": [ROTATION_PRINTED]})),
            ("BODY", sealed(state, "command", 6, {"k9": BOTH["k2"]})),
            ("NOT_SEALED", {"use": "rotation", "n": 6, "jwe": "garbage"}),
            ("NOT_SEALED", {"use": "rotation", "n": 6}),
        ]
        lock = Lock(
            state=state,
            box=Box(state).key(),
            gateway=GATEWAY,
            site=SITE,
            site_file="keys/site.json",
            platform_file="keys/platform.json",
        )
        for kind, body in mistaken:
            opened = open_rows(lock, [body])
            assert [one.kind.value for one in opened.refused] == [kind], body
            assert (opened.files, opened.uses) == ({}, [])
        await feeding.give(*(body for _, body in mistaken))
        # The last of them is good, so that all before it have been looked at.
        await feeding.give(sealed(state, "issuer", 1, {"keys": [ISSUER]}))
        await installed(state, rotation=5, issuer=1)
        assert held(state) == before | {
            "sealed.json": {"rotation": 5, "issuer": 1},
            "tickets.json": {"keys": [ISSUER], **ROTATION},
        }
        assert {kind for kind, _ in await feeding.refusals()} <= {
            k for k, _ in mistaken
        }
        assert await feeding.refusals()
        assert set(runtime.line.keys._keys) == {"k1"}


#: The rotation key of the published vectors: everybody has it.
ROTATION_PRINTED = bytes(range(0x40, 0x60)).hex()
OTHER_SITE_KEYS = {"site_key": "33" * 32, "epoch_salt": "44" * 16}
ISSUER = {"kid": "0a", "public": BOTH["k2"], "issuer": "city"}
