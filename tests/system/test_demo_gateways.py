# SPDX-License-Identifier: Apache-2.0
"""Two sites and one reference platform: what each recorded is what the platform has."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
import subprocess
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from edge.cli.demo.journal_file import read_journal
from edge.cli.demo.neighbours import Neighbours
from edge.cli.demo.reckoning import is_reconciled, reckoning
from edge.cli.demo.side_by_side import lines, sites_of
from edge.cli.files import config_folder
from edge.cli.platform.verbs import app
from edge.control.client import ask
from tests.system.test_demo import MENSHEN, _members

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.alone
GATEWAYS = ["gw-canteen", "gw-demo"]


@pytest.mark.timeout(120)
def test_two_gateways_and_their_platform_agree(tmp_path: Path) -> None:
    command = [*MENSHEN, "demo", "--gateways", "2", "--for", "14", "--no-panel"]
    demo = subprocess.Popen(
        [*command, "--speed", "3", "--json", "--state", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        gateway = _confirm_a_shift(tmp_path / "platform", demo)
        socket = tmp_path / gateway / "control.sock"
        while (points := ask(socket, "status")["duty"])["confirmed_points"] < 1:
            time.sleep(0.2)
        assert points["points"] == 1
        output, said = demo.communicate(timeout=60)
    finally:
        demo.kill()
    assert demo.returncode == 0, said
    assert "the platform has committed: gw-demo" in said
    journal = read_journal(tmp_path / gateway / "journal.db")
    words = [each.core for each in journal if each.core["k"] == "DUTY_CONFIRMED"]
    assert [(each["actor"], each["minutes"]) for each in words] == [("李社工", 65)]
    result = json.loads(output.splitlines()[-1])
    assert result["reconciled"] is True
    assert sorted(result["gateways"]) == GATEWAYS
    for each in result["gateways"].values():
        assert each["committed"] == each["acked"] == each["platform_count"] > 0
        assert (each["lost"], each["doubled"], each["reconciled"]) == (0, 0, True)
        assert each["hash"] == each["platform_hash"]
        assert each["granted"] > 0
    *_, asked = result["ask_the_platform"].partition("menshen ")
    told = subprocess.run(
        [*MENSHEN, *asked.split(), "--json"], capture_output=True, text=True, check=True
    )
    rows = {row["gateway"]: row for row in json.loads(told.stdout)}
    assert sorted(rows) == GATEWAYS
    for name, row in rows.items():
        ours = result["gateways"][name]
        assert (row["good"], row["missing"]) == ("yes", 0)
        assert (row["count"], row["hash"]) == (ours["committed"], ours["hash"])
    for log in tmp_path.glob("**/logs/*.log"):
        assert "Traceback" not in log.read_text(encoding="utf-8"), log
    _what_is_wrong_is_told(tmp_path)


def _confirm_a_shift(platform: Path, demo: subprocess.Popen[str]) -> str:
    """As a social worker, confirm the first shift that ends; say whose gateway's."""
    settings = ("--settings", str(platform / "platform.toml"))
    while demo.poll() is None:
        time.sleep(0.3)
        if not (platform / "platform.db").exists():
            continue
        listed = CliRunner().invoke(app, ["duty", "--json", *settings])
        ended = [
            each
            for each in json.loads(listed.output or "[]")
            if each["state"] == "PROVISIONAL"
        ]
        if ended:
            gateway = str(ended[0]["gateway"])
            more = ("--by", "李社工", "--minutes", "65", "--reason", "她先打扫")
            words = ["confirm-duty", gateway, ended[0]["shift"], *more, *settings]
            said = CliRunner().invoke(app, words)
            assert said.exit_code == 0, said.output
            return gateway
    raise AssertionError(f"no shift ended: {demo.communicate()}")


def _what_is_wrong_is_told(folder: Path) -> None:
    """Spoil what is stored, one way after the other: each time it is seen."""
    assert is_reconciled(reckoned(folder))
    platform = folder / "platform" / "platform.db"
    with closing(sqlite3.connect(platform)) as database, database:
        database.execute(
            "DELETE FROM event WHERE seq = 5 AND journal IN"
            " (SELECT id FROM journal WHERE gateway = 'gw-demo')"
        )
    after = reckoned(folder)
    assert not is_reconciled(after)
    [spoilt] = [each for each in after.values() if not each["reconciled"]]
    assert (spoilt["lost"], spoilt["acked"]) == (1, spoilt["committed"] - 1)
    path = folder / "gw-canteen" / "journal.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("DELETE FROM event WHERE place = 6")
    assert [each["reconciled"] for each in reckoned(folder).values()] == [False, False]
    told = {"gateways": reckoned(folder), "seed": 1}
    told |= {"broker_outages": 0, "reader_faults": 0}
    assert sum("NOT RECONCILED" in text for text in lines(told)) == 2


def reckoned(folder: Path) -> dict[str, dict[str, Any]]:
    sites = Neighbours(folder=folder, seed=1)
    for number, site in enumerate(sites_of(config_folder() / "demo.toml", 2), 1):
        sites._settle_in(number, site)
    return asyncio.run(reckoning(sites))


def test_more_gateways_are_the_same_sites_under_names_of_their_own(
    tmp_path: Path,
) -> None:
    sites = Neighbours(folder=tmp_path, seed=1)
    asyncio.run(sites.prepare(sites_of(config_folder() / "demo.toml", 3), None))
    assert [*sites.houses] == ["gw-demo", "gw-canteen", "gw-demo-3"]
    settings = [each.settings for each in sites.houses.values()]
    assert len({each.site.id for each in settings}) == 3
    assert len({each.gateway.shard for each in settings}) == 3
    told = {
        (each.stage.folder / "keys" / "site.json").read_text(encoding="ascii")
        for each in sites.houses.values()
    }
    assert len(told) == 3, "each site has secrets of its own"


@pytest.mark.timeout(90)
def test_ctrl_c_ends_both_sites_and_their_platform(tmp_path: Path) -> None:
    command = [*MENSHEN, "demo", "--gateways", "2", "--state", str(tmp_path)]
    demo = subprocess.Popen(
        [*command, "--no-panel"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        until_s = time.monotonic() + 30
        sockets = [tmp_path / name / "control.sock" for name in GATEWAYS]
        while not all(each.exists() for each in sockets):
            assert time.monotonic() < until_s, "the gateways did not come up"
            time.sleep(0.1)
        begun_s = time.monotonic()
        demo.send_signal(signal.SIGINT)
        output, _ = demo.communicate(timeout=30)
        took_s = time.monotonic() - begun_s
    finally:
        demo.kill()
    assert _members(tmp_path) == [], "orphans are left"
    assert "Traceback" not in output
    assert took_s < 8.0
