# SPDX-License-Identifier: Apache-2.0
"""Brokers for the tests of the client: amqtt everywhere, mosquitto where it is.

And the certificate of one that speaks TLS, made for the test.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import re
import ssl
from typing import TYPE_CHECKING

import pytest

from tests import brokers
from tests.certificates import Authority

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.brokers import BrokerProcess


#: Of asyncio about what was left behind, of aiomqtt about what was too much.
COMPLAINT = re.compile(r"never retrieved|was destroyed|pending|Discarding|Forcing")


@pytest.fixture
async def nothing_is_left_behind(
    caplog: pytest.LogCaptureFixture,
) -> AsyncIterator[None]:
    """No task outlives a test, and neither asyncio nor aiomqtt complained."""
    with caplog.at_level(logging.WARNING):
        yield
        await asyncio.sleep(0.01)
        gc.collect()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    told = caplog.get_records("call") + caplog.get_records("teardown")
    assert [one for one in told if COMPLAINT.search(one.getMessage())] == []


@pytest.fixture(
    params=[
        "amqtt",
        pytest.param("mosquitto", marks=pytest.mark.needs("mosquitto")),
    ]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrokerProcess]:
    """A running broker of each kind, ended after the test by its process id."""
    start = {"amqtt": brokers.amqtt, "mosquitto": brokers.mosquitto}[request.param]
    with start(tmp_path) as process:
        yield process


@pytest.fixture
def tls(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A broker's side of TLS and ours, which trusts that broker alone."""
    authority = Authority(tmp_path)
    broker = authority.issue("broker")
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(broker.certificate, broker.key)
    return theirs, ssl.create_default_context(cafile=str(authority.ca))
