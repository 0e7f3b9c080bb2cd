# SPDX-License-Identifier: Apache-2.0
"""Renewal, the gateway's side, by a hand clock: when it asks, and what it keeps."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from cloud_sync.platform.enrolment import authority
from cloud_sync.renewing import CertificateAnswer, CertificateWish
from cloud_sync.transport.port import Trouble
from cloud_sync.transport.tls import TlsFiles
from edge.cli.box_key import Box
from edge.cli.keys.install import ANYBODY, write
from edge.cli.keys.pending import new_key
from edge.cli.keys.renewal import (
    ASK_EVERY_S,
    TRIES,
    CertificateRenewal,
    Files,
    RenewingTls,
    Stage,
)
from edge.cli.status import status
from edge.control.client import ControlError, ask
from edge.core.moment import Moment
from tests.cloud_sync.platform.desk import NOW_MS
from tests.edge.at_work import PLATFORM_KEYS, SITE_KEYS, at_work
from tests.edge.small_site import TEXT

if TYPE_CHECKING:
    from pathlib import Path

GATEWAY = "gw-7"
DAY_MS = 86_400_000
NOW = Moment(monotonic_s=0.0, earliest_ms=NOW_MS, latest_ms=NOW_MS, boot="b")


def later(days: float, seconds: float = 0.0) -> Moment:
    at_ms = NOW_MS + int(days * DAY_MS)
    return replace(NOW, monotonic_s=seconds, earliest_ms=at_ms, latest_ms=at_ms)


class Box7:
    """A gateway whose certificate was issued at NOW."""

    def __init__(self, folder: Path) -> None:
        self.state = folder / "state"
        self.ca = authority.make(folder / "ca.pem", folder / "ca.key", "t", NOW_MS)
        key, csr = new_key(GATEWAY)
        write(self.state / "keys" / "gateway.key", key)
        self.put("keys/gateway.pem", self.signed(csr, NOW_MS))
        self.put("keys/ca.pem", self.ca.pem)
        files = Files(
            state=self.state, certificate="keys/gateway.pem", key="keys/gateway.key"
        )
        current = TlsFiles(
            ca=self.state / "keys/ca.pem",
            certificate=self.state / files.certificate,
            key=self.state / files.key,
        )
        self.tls = RenewingTls(current, files)
        self.told: list[object] = []
        self.renewal = CertificateRenewal(
            gateway=GATEWAY,
            files=files,
            tls=self.tls,
            box=Box(self.state),
            report=lambda kind, facts: self.told.append((kind, facts)),
        )

    def put(self, name: str, text: str) -> None:
        write(self.state / name, text, ANYBODY)

    def signed(self, csr: str, now_ms: int, name: str = GATEWAY) -> str:
        made = self.ca.gateway(authority.read_csr(csr), name, now_ms)
        return made.public_bytes(Encoding.PEM).decode()

    async def wish(self, now: Moment) -> CertificateWish | None:
        """Ask twice: the first time may only begin to make it."""
        first = self.renewal.wish(now)
        if self.renewal._work is not None:
            await asyncio.wait({self.renewal._work})
        return first or self.renewal.wish(now)

    async def given(self, now: Moment, **changes: str) -> bool:
        wish = await self.wish(now)
        assert wish is not None
        answer = CertificateAnswer(
            nonce=wish.nonce,
            certificate=self.signed(wish.csr, now.earliest_ms),
            authority=self.ca.pem,
        )
        return await self.renewal.take(replace(answer, **changes), now)

    def names(self) -> set[str]:
        return {path.name for path in (self.state / "keys").iterdir()}

    def text(self, name: str) -> str:
        return (self.state / "keys" / name).read_text()


@pytest.fixture
def box(tmp_path: Path) -> Box7:
    return Box7(tmp_path)


async def test_it_asks_at_two_thirds_of_the_life_and_once_an_hour(box: Box7) -> None:
    assert await box.wish(later(400)) is None
    due = later(730 * 2 / 3 + 1, 10_000)
    wish = await box.wish(due)
    assert wish is not None
    assert box.renewal.shown()["stage"] == "ASKED"
    again = replace(due, monotonic_s=due.monotonic_s + ASK_EVERY_S)
    assert await box.wish(replace(again, monotonic_s=again.monotonic_s - 1)) is None
    assert await box.wish(again) == wish  # lost: the same question once more
    # A restart changes nothing about the question.
    after = CertificateRenewal(
        gateway=GATEWAY,
        files=box.renewal._files,
        tls=box.tls,
        box=Box(box.state),
        report=lambda *_: None,
    )
    box.renewal = after
    assert await box.wish(due) == wish


async def test_the_old_key_stays_until_the_new_one_has_worked(box: Box7) -> None:
    old = box.text("gateway.pem"), box.text("gateway.key")
    box.renewal.ask_now()
    assert await box.given(later(1))
    assert box.renewal.shown()["stage"] == "TRYING"
    assert (box.text("gateway.pem"), box.text("gateway.key")) == old
    context = box.tls.context(lambda: later(1))
    assert box.tls.is_next
    box.renewal.worked()
    await box.wish(later(1))  # its work is done
    assert box.renewal.stage is Stage.NONE
    assert box.text("gateway.pem") != old[0]
    assert box.text("gateway.key") != old[1]
    assert not box.names() & {"next.pem", "renewal.json", "incoming.json"}
    assert box.tls.context(lambda: later(1)).own_until_ms == context.own_until_ms


async def test_a_new_certificate_that_is_refused_gives_way_to_the_old(
    box: Box7,
) -> None:
    old = box.text("gateway.pem")
    box.renewal.ask_now()
    assert await box.given(later(1))
    box.tls.context(lambda: later(1))
    box.tls.failed(Trouble.CERTIFICATE_REFUSED)
    box.tls.context(lambda: later(1))
    assert not box.tls.is_next
    box.renewal.worked()
    box.renewal.worked()
    await box.wish(later(1))
    assert box.renewal.stage is Stage.REFUSED
    assert len(box.told) == 1
    assert "next.pem" not in box.names()
    assert box.text("gateway.pem") == old


async def test_a_line_that_fails_is_no_refusal(box: Box7) -> None:
    box.renewal.ask_now()
    assert await box.given(later(1))
    seen = []
    for _ in range(2 * TRIES):
        box.tls.context(lambda: later(1))
        seen.append(box.tls.is_next)
        box.tls.failed(Trouble.UNREACHABLE)
        assert not box.tls.refusal
    assert seen == [True, False] * TRIES  # they take turns
    box.tls.context(lambda: later(1))
    assert box.tls.is_next
    box.renewal.worked()
    await box.wish(later(1))
    assert box.renewal.stage is Stage.NONE


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"refusal": "REVOKED"}, "REVOKED"),
        ({"certificate": "no"}, "no certificate"),
        ({"authority": "no"}, "no certificate"),
    ],
)
async def test_what_cannot_be_used_changes_nothing(
    box: Box7, change: dict[str, str], word: str
) -> None:
    old = box.text("gateway.pem")
    box.renewal.ask_now()
    assert not await box.given(later(1), **change)
    assert box.renewal.stage is Stage.REFUSED
    assert word in box.renewal.why
    assert box.text("gateway.pem") == old
    assert not box.names() & {"next.pem", "renewal.json"}
    assert await box.wish(later(1, 60)) is None


async def test_a_certificate_for_somebody_else_is_not_kept(box: Box7) -> None:
    box.renewal.ask_now()
    wish = await box.wish(later(1))
    assert wish is not None
    _, other = new_key(GATEWAY)
    for certificate in (
        box.signed(other, NOW_MS),  # another key
        box.signed(wish.csr, NOW_MS, name="gw-8"),
        box.signed(wish.csr, NOW_MS - 3000 * DAY_MS),
    ):
        box.renewal.ask_now()
        again = await box.wish(later(1))
        assert again is not None
        answer = CertificateAnswer(
            nonce=again.nonce, certificate=certificate, authority=box.ca.pem
        )
        assert not await box.renewal.take(answer, later(1))
        assert "next.pem" not in box.names()
    stranger = CertificateAnswer(nonce="00" * 16, certificate="x", authority="y")
    assert not await box.renewal.take(stranger, later(1))


async def test_a_gateway_without_a_certificate_says_where_to_get_one(
    tmp_path: Path,
) -> None:
    keys = tmp_path / "state" / "keys"
    keys.mkdir(parents=True, mode=0o700)
    (tmp_path / "site.toml").write_text(TEXT, encoding="utf-8")
    (keys / "site.json").touch(0o600)
    (keys / "site.json").write_text(json.dumps(SITE_KEYS))
    (keys / "platform.json").write_text(json.dumps(PLATFORM_KEYS))
    async with at_work(tmp_path / "state") as runtime:
        with pytest.raises(ControlError, match="menshen keys enrol"):
            await asyncio.to_thread(ask, tmp_path / "state" / "control.sock", "renew")
        assert status(runtime)["platform"]["renewal"] is None
