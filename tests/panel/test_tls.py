# SPDX-License-Identifier: Apache-2.0
"""The panel behind its own authority: what a tablet trusts, and for how long."""

from __future__ import annotations

import re
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest
from cryptography import x509

from edge.cli.panel.certificates import AbroadError, prepare, renew
from tests.panel.conftest import start_panel, stop_panel
from tests.panel.scripted_gateway import TABLET, ScriptedGateway

if TYPE_CHECKING:
    from pathlib import Path

#: 2026-11-22.
NOW_MS = 1_795_329_120_000
DAY_MS = 86_400_000
NAMES = ["127.0.0.1", "localhost"]


def leaf(state: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate((state / "panel" / "panel.pem").read_bytes())


async def test_a_tablet_that_trusts_the_authority_needs_no_warning(
    tmp_path: Path, gateway: ScriptedGateway
) -> None:
    from edge.cli.system_clock import wall_ms

    fingerprint = prepare(tmp_path, NAMES, wall_ms())
    folder = tmp_path / "panel"
    panel = await start_panel(gateway.path, 0, "--tls", str(folder))
    await gateway.watched()
    gateway.answers["login-pin"] = {"state": "in", "session": "s" * 43}
    trust = ssl.create_default_context(cafile=folder / "ca.pem")
    origin = panel.url.rstrip("/")
    assert origin.startswith("https://")
    async with httpx.AsyncClient(
        base_url=panel.url,
        verify=trust,
        headers={"Origin": origin},
        cookies={"__Host-tablet": TABLET},
    ) as client:
        page = (await client.get("/login/pin/acc-1")).text
        found = re.search(r'name="token" value="([^"]+)"', page)
        assert found is not None
        form = {"token": found.group(1), "account": "acc-1", "pin": "274916"}
        answer = await client.post("/login/pin", data=form)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-session=")
        assert "Secure" in cookie
        shown = re.sub(r"\s|<[^>]*>", "", (await client.get("/trust")).text)
        assert fingerprint in shown
        assert (await client.get("/ca.crt")).text == (folder / "ca.pem").read_text()
        plain = {"Origin": origin.replace("https", "http")}
        refused = await client.post("/login/pin", data=form, headers=plain)
        assert refused.status_code == 403
    async with httpx.AsyncClient(base_url=panel.url) as stranger:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await stranger.get("/")
    assert await stop_panel(panel) == ""


def test_the_authority_stays_and_the_certificate_is_renewed_at_half_its_life(
    tmp_path: Path,
) -> None:
    authority = prepare(tmp_path, NAMES, NOW_MS)
    first = leaf(tmp_path)
    for days, is_new in ((1, False), (180, False), (185, True), (186, False)):
        before = leaf(tmp_path).serial_number
        renew(tmp_path, NAMES, NOW_MS + days * DAY_MS)
        assert (leaf(tmp_path).serial_number != before) is is_new, days
    assert prepare(tmp_path, NAMES, NOW_MS + 400 * DAY_MS) == authority
    assert first.not_valid_after_utc.year == 2027
    for name in ("keys/panel-ca.key", "panel/panel.key"):
        assert (tmp_path / name).stat().st_mode & 0o007 == 0
    assert (tmp_path / "keys" / "panel-ca.key").stat().st_mode & 0o077 == 0


def test_a_new_address_brings_a_new_certificate_and_a_new_name_asks_for_init(
    tmp_path: Path,
) -> None:
    authority = prepare(tmp_path, NAMES, NOW_MS)
    renew(tmp_path, [*NAMES, "192.168.8.10"], NOW_MS)
    kind = x509.SubjectAlternativeName
    spoken = leaf(tmp_path).extensions.get_extension_for_class(kind).value
    assert "192.168.8.10" in map(str, spoken.get_values_for_type(x509.IPAddress))
    with pytest.raises(AbroadError, match="menshen init"):
        renew(tmp_path, [*NAMES, "door.lan"], NOW_MS)
    assert prepare(tmp_path, [*NAMES, "door.lan"], NOW_MS) != authority


def test_the_authority_reaches_no_further_than_this_box(tmp_path: Path) -> None:
    with pytest.raises(AbroadError, match="private network"):
        prepare(tmp_path, ["8.8.8.8"], NOW_MS)
    prepare(tmp_path, NAMES, NOW_MS)
    known = x509.load_pem_x509_certificate((tmp_path / "panel/ca.pem").read_bytes())
    found = known.extensions.get_extension_for_class(x509.NameConstraints)
    assert found.critical
    hosts = {
        name.value
        for name in found.value.permitted_subtrees or ()
        if isinstance(name, x509.DNSName)
    }
    assert hosts == {"localhost", "menshen.local"}


def test_where_nobody_ran_init_nothing_is_made(tmp_path: Path) -> None:
    renew(tmp_path, NAMES, NOW_MS)
    assert not list(tmp_path.iterdir())
