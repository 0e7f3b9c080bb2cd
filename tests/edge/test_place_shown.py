# SPDX-License-Identifier: Apache-2.0
"""What a gateway says of its settings: posters and the site file, never a secret."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from edge.cli.backup.manifest import KEPT_SITE
from edge.cli.panel.place_shown import redacted
from edge.settings.panel import Panel, is_web_address
from tests.edge.panel_site import TabletOf, panel_site

if TYPE_CHECKING:
    from pathlib import Path

PIN = "274916"


def test_secrets_are_left_out_and_files_stay() -> None:
    text = """
    # a comment
    options = { model = "x", scbk = "30313233343536", key_file = "keys/a.pem" }
    password = 'open sesame'
    key = hunter
    shelter = ["op-chen:00112233445566778899aabbccddeeff"]
    keys = "keys/platform.json"
    port = 8443
    """
    shown = redacted(text)
    for secret in ("30313233343536", "sesame", "hunter", "00112233", "comment"):
        assert secret not in shown, secret
    for open_word in ('"keys/platform.json"', '"keys/a.pem"', "8443", "op-chen", '"x"'):
        assert open_word in shown, open_word


@pytest.mark.parametrize(
    ("address", "is_good"),
    [
        ("https://platform.example.org/door", True),
        ("", True),
        ("javascript:alert(1)", False),
        ("https://x y/", False),
        ("//platform/door", False),
    ],
)
def test_a_door_s_address_is_one_that_a_phone_opens(
    address: str, *, is_good: bool
) -> None:
    assert is_web_address(address) is is_good


def test_the_code_names_site_and_door_and_nothing_else() -> None:
    panel = Panel(door_url="https://platform.example.org/door/")
    assert panel.url_at("kl", "front") == "https://platform.example.org/door/kl/front"
    assert Panel().url_at("kl", "front") == ""


async def test_a_keeper_gets_posters_and_the_installer_alone_the_settings(
    tmp_path: Path,
) -> None:
    async with panel_site(tmp_path) as site:
        shutil.copyfile(tmp_path / "site.toml", site.state / KEPT_SITE)
        asked = {}
        for role in ("MANAGER", "INSTALLER", "VOLUNTEER"):
            add = {"name": role.title(), "role": role, "pin": PIN}
            account = (await site.shell("account-add", **add))["account"]
            tablet = await TabletOf(site).pair()
            login = await tablet.ask("login-pin", account=account, pin=PIN)
            assert login["state"] == "in"
            posters = await tablet.ask("posters")
            asked[role] = (posters["ok"], (await tablet.ask("settings"))["ok"])
            if role == "INSTALLER":
                shown = await tablet.ask("settings")
                assert 'id = "hall-7"' in shown["text"]
                assert shown["version"]
                [door] = posters["doors"]
                assert (door["id"], door["entry"]) == ("front", "booking")
        assert asked == {
            "MANAGER": (True, False),
            "INSTALLER": (True, True),
            "VOLUNTEER": (False, False),
        }
