# SPDX-License-Identifier: Apache-2.0
"""Topics: built from checked identifiers, read back exactly."""

from __future__ import annotations

import pytest

from cloud_sync.topics import Channel, Topics

TOPICS = Topics(gateway="gw-kitchen-01", shard="07")


def test_topics_up_are_those_of_the_contract() -> None:
    assert TOPICS.hello == "mn/v1/up/07/gw-kitchen-01/hello"
    assert TOPICS.events == "mn/v1/up/07/gw-kitchen-01/evt"
    assert TOPICS.pull == "mn/v1/up/07/gw-kitchen-01/pull"
    assert TOPICS.result == "mn/v1/up/07/gw-kitchen-01/res"
    assert TOPICS.certificate == "mn/v1/up/07/gw-kitchen-01/csr"


def test_topics_down_are_those_of_the_contract_without_wildcards() -> None:
    assert sorted(TOPICS.down) == [
        "mn/v1/dn/gw-kitchen-01/ack",
        "mn/v1/dn/gw-kitchen-01/cmd",
        "mn/v1/dn/gw-kitchen-01/crt",
        "mn/v1/dn/gw-kitchen-01/day",
        "mn/v1/dn/gw-kitchen-01/feed",
        "mn/v1/dn/gw-kitchen-01/hb",
        "mn/v1/dn/gw-kitchen-01/hello",
        "mn/v1/dn/gw-kitchen-01/nudge",
    ]


def test_every_topic_down_names_its_channel_and_purpose() -> None:
    assert [TOPICS.channel(topic) for topic in TOPICS.down] == list(Channel)
    assert Channel.FEED.purpose == "mn.feed.v1"


@pytest.mark.parametrize(
    "topic",
    [
        "mn/v1/dn/gw-kitchen-02/ack",
        "mn/v1/dn/gw-kitchen-01/csr",
        "mn/v1/dn/gw-kitchen-01/ack/",
        "mn/v1/dn/gw-kitchen-01/ACK",
        "mn/v2/dn/gw-kitchen-01/ack",
        "x/mn/v1/dn/gw-kitchen-01/ack",
        "mn/v1/up/07/gw-kitchen-01/hello",
        "ack",
        "",
    ],
)
def test_a_topic_of_somebody_else_has_no_channel(topic: str) -> None:
    assert TOPICS.channel(topic) is None


@pytest.mark.parametrize(
    "gateway",
    ["", "gw", "-gw1", "GW1", "gw.1", "gw 1", "gw/1", "gw+1", "gw#", "门神01", "gw1\n"],
)
def test_a_gateway_that_is_no_identifier_is_refused(gateway: str) -> None:
    with pytest.raises(ValueError, match="not an identifier"):
        Topics(gateway=gateway, shard="07")


def test_a_gateway_of_32_characters_is_refused() -> None:
    with pytest.raises(ValueError, match="3 to 31"):
        Topics(gateway="g" * 32, shard="07")


@pytest.mark.parametrize("shard", ["", "7", "16", "99", "007", "0a", "１5", "07\n"])
def test_a_shard_out_of_range_is_refused(shard: str) -> None:
    with pytest.raises(ValueError, match="00 to 15"):
        Topics(gateway="gw1", shard=shard)


def test_the_longest_and_shortest_identifiers_are_good() -> None:
    for gateway in ("a1b", "g" * 31):
        assert Topics(gateway=gateway, shard="15").gateway == gateway
