# SPDX-License-Identifier: Apache-2.0
"""A new site key at the platform: made, awaited, fed in order, and retired."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from cloud_sync.key_shapes import fault_of
from cloud_sync.sealing import SealedKeys, unseal
from tests.cloud_sync.platform.test_verbs import refused, typed
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, SHARD
from tests.cloud_sync.test_sealing import BOX, public_of

if TYPE_CHECKING:
    from pathlib import Path

SITE = "kitchen"
TOKEN = "ab" * 16


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A platform with one box at work, and rows of its first key."""
    monkeypatch.chdir(tmp_path)
    assert typed("init").exit_code == 0
    assert typed("gateway", "add", GATEWAY, "--shard", SHARD).exit_code == 0
    assert typed("authority", "--host", "127.0.0.1").exit_code == 0
    assert typed("claim", GATEWAY, "--site", SITE).exit_code == 0
    put(
        tmp_path,
        "INSERT INTO box (gateway, site, seal, box, enrolled_ms) "
        "VALUES (?, ?, ?, '', 1)",
        GATEWAY,
        SITE,
        public_of(BOX).hex(),
    )
    assert imports(tmp_path, lost()).exit_code == 0
    return tmp_path


def put(folder: Path, sql: str, *values: object) -> None:
    with sqlite3.connect(folder / "platform.db") as base:
        base.execute(sql, values)
    base.close()


def lost(row_id: str = "r", **more: int) -> str:
    body = {"token": TOKEN, "reason": "LOST"} | more
    return json.dumps({"kind": "revocation", "id": row_id, "body": body})


def wang(**more: Any) -> str:
    body = {"enabled": 1, "extended": 0, "language": "zh-CN", "roles": ["RESIDENT"]}
    body |= {"credentials": [f"CARD:{TOKEN}"]} | more
    return json.dumps({"kind": "holder", "id": "wang", "body": body})


def imports(folder: Path, *rows: str) -> Any:
    (folder / "rows.jsonl").write_text("\n".join(rows))
    return typed("rows", "import", "rows.jsonl", "--gateway", GATEWAY)


def says(folder: Path, seq: int, **facts: int | str) -> None:
    """Let the box's journal tell something of its site keys, as it was ingested."""
    put(
        folder,
        "INSERT OR IGNORE INTO journal (id, gateway, epoch, hi, hash, begun_ms) "
        "VALUES (1, ?, ?, 0, x'', 1)",
        GATEWAY,
        EPOCH,
    )
    core = json.dumps(facts | {"lo": 1_760_000_000_000})
    put(
        folder,
        "INSERT INTO event (journal, seq, kind, at, lo, core, hash, stored_ms) "
        "VALUES (1, ?, 'SITE_KEY_CHANGED', 'gateway', 1, ?, x'', 1)",
        seq,
        core,
    )


def shown(gateway: str = GATEWAY) -> dict[str, Any]:
    found = json.loads(typed("site-key", "show", SITE, "--json").output)
    return dict(next(row for row in found if row["gateway"] == gateway))


def sealed() -> dict[str, Any]:
    """Return what the site's row in the feed holds, as its box unseals it."""
    told = typed("rows", "show", "--gateway", GATEWAY, "--kind", "key").output
    [row] = [
        each
        for each in map(json.loads, told.splitlines())
        if each["body"]["use"] == "site"
    ]
    opened = unseal(row["body"]["jwe"], BOX, gateway=GATEWAY, site=SITE)
    assert isinstance(opened, SealedKeys)
    assert fault_of("site", opened.keys) == ""
    return {"n": opened.number, **opened.keys}


def test_from_one_key_to_the_next(folder: Path) -> None:
    assert "is the only one in use" in refused("site-key", "retire", SITE)
    told = typed("site-key", "rotate", SITE).output
    assert "site key 2 made; 1 goes on beside it" in told
    assert f"{GATEWAY}: sealed into its feed" in told
    both = sealed()
    assert (both["n"], [each["n"] for each in both["former"]]) == (2, [1])
    assert both["site_key"] != both["former"][0]["site_key"]
    assert shown()["state"] == "waits for the box"
    assert "has not said that it holds 2" in refused("site-key", "retire", SITE)

    says(folder, 1, what="taken", key=2, former="1")
    assert shown() | {"told": ""} == {
        "gateway": GATEWAY,
        "holds": 2,
        "before": "1",
        "told": "",
        "rows_before": 1,
        "state": "waits for rows",
    }
    assert "1 rows to be written anew" in refused("site-key", "retire", SITE)
    assert imports(folder, lost(key=2)).exit_code == 0
    assert "site key 1 is retired" in typed("site-key", "retire", SITE).output
    assert shown()["state"] == "keeps an old key"
    assert sealed() == {name: both[name] for name in ("n", "site_key", "epoch_salt")}

    says(folder, 2, what="given_up", key=1)
    assert (shown()["before"], shown()["state"]) == ("", "done")
    assert typed("site-key", "rotate", SITE).exit_code == 0
    assert (sealed()["n"], [each["n"] for each in sealed()["former"]]) == (3, [2])


def test_one_change_at_a_time(folder: Path) -> None:
    assert typed("site-key", "rotate", SITE).exit_code == 0
    before = sealed()
    assert "site key 1 is still in use beside 2" in refused("site-key", "rotate", SITE)
    assert sealed() == before
    assert "no key yet" in refused("site-key", "rotate", "nowhere")


def test_no_row_goes_out_before_the_box_that_reads_it_holds_its_key(
    folder: Path,
) -> None:
    def why(*rows: str) -> str:
        (folder / "rows.jsonl").write_text("\n".join(rows))
        return refused("rows", "import", "rows.jsonl", "--gateway", GATEWAY)

    assert "of site key 2; in use is 1" in why(wang(key=2))
    assert typed("site-key", "rotate", SITE).exit_code == 0
    assert "has told of 1 alone so far" in why(wang(key=2))
    assert "has told of 1 alone so far" in why(wang(), lost("r-2", key=2))
    assert imports(folder, wang(key=1), lost("r-3")).exit_code == 0, "the old one may"
    says(folder, 1, what="taken", key=2, former="1")
    assert imports(folder, wang(key=2), lost(key=2), lost("r-3", key=2)).exit_code == 0
    assert typed("site-key", "retire", SITE).exit_code == 0
    assert "of site key 1; in use is 2" in why(wang(key=1))
    assert "key: expected" in why(wang(key=0))


def test_a_box_that_was_revoked_gets_no_key_and_is_not_awaited(folder: Path) -> None:
    put(
        folder,
        "INSERT INTO certificate (serial, gateway, issued_ms, ends_ms) "
        "VALUES ('01', ?, 1, 9999999999999)",
        GATEWAY,
    )
    assert typed("site-key", "rotate", SITE).exit_code == 0
    assert typed("revoke", GATEWAY).exit_code == 0
    before = sealed()
    assert "site key 1 is retired" in typed("site-key", "retire", SITE).output
    assert typed("site-key", "rotate", SITE).exit_code == 0
    assert sealed() == before, "what was stolen reads no later key"
    assert json.loads(typed("site-key", "show", SITE, "--json").output) == []


def test_a_box_without_a_feed_is_told_of_before_anything_changes(folder: Path) -> None:
    put(folder, "DELETE FROM feed")
    assert "has no feed yet" in refused("site-key", "rotate", SITE)
    out = ("secret", "export", "site.json", "--site", SITE, "--use", "site")
    assert typed(*out).exit_code == 0
    assert json.loads((folder / "site.json").read_text())["n"] == 1


def test_both_keys_are_locked_in_the_database(folder: Path) -> None:
    assert typed("site-key", "rotate", SITE).exit_code == 0
    both = sealed()
    for path in folder.glob("platform.db*"):
        content = path.read_bytes()
        for keys in (both, *both["former"]):
            assert bytes.fromhex(keys["site_key"]) not in content
            assert keys["site_key"].encode() not in content


BAD = [
    ({"former": {}}, "no list"),
    ({"former": [{}]}, "without its number"),
    ({"former": [{"n": 0}]}, "without its number"),
    ({"former": [{"n": 1, "site_key": "00"}]}, "that is none"),
]


@pytest.mark.parametrize(("more", "told"), BAD)
def test_former_keys_that_are_none_are_told(more: dict[str, Any], told: str) -> None:
    good = {"site_key": "11" * 32, "epoch_salt": "22" * 16}
    assert told in fault_of("site", good | more)
    former = [{"n": n, **good} for n in (1, 1)]
    assert "two former keys" in fault_of("site", good | {"former": former})
    assert "3 at most" in fault_of("site", good | {"former": former * 2})
    nested = [{"n": 1, **good, "former": []}]
    assert "that is none" in fault_of("site", good | {"former": nested})
