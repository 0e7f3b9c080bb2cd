# SPDX-License-Identifier: Apache-2.0
"""A platform that does not answer through a broker that takes all: told within 15 s."""

from __future__ import annotations

import asyncio
import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from cloud_sync.advice import ADVICE, advice
from cloud_sync.introduction import HELLO_WITHIN_S
from cloud_sync.outputs import LeaveReason
from cloud_sync.silence import SILENT_AFTER_S, TOLD_EVERY_S, Silence
from cloud_sync.transport.faults import KIND, FaultyTransport
from cloud_sync.transport.memory import MemoryBroker
from cloud_sync.transport.port import Trouble
from edge.core.event import EventKind
from tests import brokers
from tests.cloud_sync.memory_platform import MemoryPlatform
from tests.cloud_sync.memory_ports import PlatformPeer, Site, until
from tests.cloud_sync.scripted_platform import GATEWAY, SHARD, Platform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cloud_sync.transport.port import Transport

pytestmark = pytest.mark.usefixtures("nothing_is_left_behind")


def stands(silence: Silence) -> bool:
    return silence.is_alarming


def test_two_connections_without_an_answer_are_told_within_fifteen_seconds() -> None:
    silence, now_s = Silence(), 100.0
    silence.greeted(now_s)
    assert not silence.tick(now_s + HELLO_WITHIN_S)
    silence.left(now_s + HELLO_WITHIN_S)
    again_s = now_s + HELLO_WITHIN_S + 0.2 + 1.0  # the pause, and a slow connection
    silence.greeted(again_s)
    deadline_s = silence.deadline_s
    assert deadline_s is not None
    assert deadline_s - now_s < 15.0
    assert not silence.tick(deadline_s - 0.01)
    assert not stands(silence)
    assert silence.tick(deadline_s)
    assert stands(silence)


def test_time_without_a_connection_does_not_count() -> None:
    silence = Silence()
    silence.greeted(0.0)
    silence.left(1.0)
    silence.greeted(5000.0)
    assert silence.deadline_s == 5000.0 + SILENT_AFTER_S - 1.0


def test_an_answer_ends_it() -> None:
    silence = Silence()
    silence.greeted(0.0)
    silence.answered()
    silence.left(5.0)
    silence.greeted(10.0)
    assert silence.deadline_s == 10.0 + SILENT_AFTER_S
    assert silence.tick(10.0 + SILENT_AFTER_S)
    silence.answered()
    assert not stands(silence)


def test_it_is_told_once_an_hour_at_most_however_often_it_comes() -> None:
    silence, told, now_s = Silence(), [], 0.0
    rng = random.Random(3)
    while now_s < 10 * TOLD_EVERY_S:
        silence.greeted(now_s)
        now_s += rng.uniform(1.0, HELLO_WITHIN_S)
        if silence.tick(now_s):
            told.append(now_s)
        if rng.random() < 0.05:
            silence.answered()
        silence.left(now_s)
        now_s += rng.uniform(0.1, 30.0)
    assert 8 <= len(told) <= 10
    gaps = [after - before for before, after in pairwise(told)]
    assert min(gaps) >= TOLD_EVERY_S


class HalfOpen(FaultyTransport):
    """Half open as soon as the subscriptions stand."""

    is_always = True

    async def subscribe(self, topics: Sequence[str]) -> bool:
        is_granted = await super().subscribe(topics)
        if self.is_always:
            self.half_open()
        return is_granted


@pytest.mark.parametrize("how", ["denied", "delivers nothing", "half open"])
async def test_each_way_of_not_being_heard_is_an_alarm_event(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr("cloud_sync.silence.SILENT_AFTER_S", 0.4)
    monkeypatch.setattr("cloud_sync.introduction.HELLO_WITHIN_S", 0.3)
    monkeypatch.setattr("cloud_sync.introduction.HELLO_AGAIN_S", 0.1)
    broker, platform = MemoryBroker(), Platform()
    inner = broker.transport(GATEWAY)
    way = FaultyTransport(inner, faults=KIND, chance=random.Random(1))
    if how == "denied":
        broker.denies = lambda _, topic: topic.startswith(f"mn/v1/up/{SHARD}/{GATEWAY}")
    elif how == "delivers nothing":
        broker.is_deaf = True
    else:
        monkeypatch.setattr("cloud_sync.conversation.PUBLISH_WITHIN_S", 0.3)
        way = HalfOpen(inner, faults=KIND, chance=random.Random(1))
    ways: dict[str, Transport] = {"mqtt.example.org:8883": way}
    site = Site(ways)
    async with site.running():
        await until(lambda: site.client.status.is_silent)
        assert not site.client.status.is_connected
        broker.denies, broker.is_deaf = (lambda _client, _topic: False), False
        HalfOpen.is_always = False
        serving = MemoryPlatform(broker, platform)
        async with serving.running():
            await until(lambda: site.client.status.is_connected)
        assert not site.client.status.is_silent
    [(kind, facts)] = site.reports
    assert kind is EventKind.PLATFORM_SILENT
    assert dict(facts)["broker"] == "mqtt.example.org:8883"
    assert list(facts) == sorted(facts)


@pytest.mark.needs("mosquitto")
async def test_a_real_broker_s_list_that_drops_what_goes_up_is_told_in_fifteen_seconds(
    tmp_path: Path,
) -> None:
    """mosquitto says yes to each publication that its list forbids, and drops it."""
    acl = tmp_path / "acl"
    acl.write_text("topic readwrite mn/v1/dn/#\ntopic read mn/v1/up/#\n", "ascii")
    more = f"user root\nacl_file {acl}\n"  # else it could not read its starter's file
    platform = Platform()
    with brokers.mosquitto(tmp_path, more) as broker:
        site = Site(broker)
        async with PlatformPeer(broker, platform).running(), site.running():
            begun_s = asyncio.get_running_loop().time()
            await until(lambda: bool(site.reports), 30.0)
            after_s = asyncio.get_running_loop().time() - begun_s
    print(f"told after {after_s:.1f} s")
    [(kind, facts)] = site.reports
    assert kind is EventKind.PLATFORM_SILENT
    assert dict(facts)["broker"] == str(broker.port)
    assert platform.hellos == []
    assert after_s < 15.0


def test_each_trouble_has_its_advice_and_no_advice_is_for_nothing() -> None:
    kinds = {*Trouble, *LeaveReason}
    assert set(ADVICE) == kinds
    for kind in kinds:
        sentence = advice(kind, gateway="gw-7", shard="03")
        assert sentence
        assert "{" not in sentence
    assert "mn/v1/up/03/gw-7/#" in advice(
        "HELLO_UNANSWERED", gateway="gw-7", shard="03"
    )
    assert advice("SOMETHING_ELSE", gateway="gw-7", shard="03") == ""
