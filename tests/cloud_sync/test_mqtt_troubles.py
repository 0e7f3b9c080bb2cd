# SPDX-License-Identifier: Apache-2.0
"""What aiomqtt raises is told apart by what it wraps, and told soon."""

from __future__ import annotations

import asyncio
import socket
import ssl
from typing import TYPE_CHECKING

import aiomqtt
import pytest

from cloud_sync.connection import Broker
from cloud_sync.transport.mqtt import MqttTransport
from cloud_sync.transport.mqtt_troubles import trouble_of
from cloud_sync.transport.port import TransportError, Trouble
from tests import brokers

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("nothing_is_left_behind")


def wrapped(cause: Exception) -> aiomqtt.MqttError:
    """Return what aiomqtt makes of an error of the connecting thread."""
    try:
        try:
            raise cause
        except OSError as error:
            raise aiomqtt.MqttError(str(error)) from None
    except aiomqtt.MqttError as error:
        return error


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] some words")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (socket.gaierror(-2, "Name or service not known"), Trouble.NAME_UNKNOWN),
        (TimeoutError("timed out"), Trouble.TIMED_OUT),
        (ConnectionRefusedError(111, "Connection refused"), Trouble.UNREACHABLE),
        (OSError(113, "No route to host"), Trouble.UNREACHABLE),
        (ConnectionResetError(104, "Connection reset by peer"), Trouble.LOST),
        (alert("SSLV3_ALERT_CERTIFICATE_REVOKED"), Trouble.CERTIFICATE_REFUSED),
        (alert("TLSV13_ALERT_CERTIFICATE_REQUIRED"), Trouble.CERTIFICATE_REFUSED),
        (alert("TLSV1_ALERT_UNKNOWN_CA"), Trouble.CERTIFICATE_REFUSED),
        (alert("WRONG_VERSION_NUMBER"), Trouble.TLS_FAILED),
        (alert("TLSV1_ALERT_PROTOCOL_VERSION"), Trouble.TLS_FAILED),
    ],
)
def test_a_cause_has_its_kind_and_its_words(cause: Exception, kind: Trouble) -> None:
    told = trouble_of(wrapped(cause))
    assert told.kind is kind
    assert str(cause) in str(told)


def test_without_a_cause_a_time_out_is_one_and_the_rest_is_a_loss() -> None:
    assert trouble_of(aiomqtt.MqttError("Operation timed out")).kind is (
        Trouble.TIMED_OUT
    )
    assert trouble_of(aiomqtt.MqttCodeError(4)).kind is Trouble.LOST
    assert str(trouble_of(aiomqtt.MqttError())) == "MqttError"


async def test_a_broker_that_hangs_up_on_us_is_told_at_once() -> None:
    async def hang_up(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    async with server:
        at = Broker(host="127.0.0.1", port=server.sockets[0].getsockname()[1])
        async with asyncio.timeout(2):  # without looking it is 5 s
            with pytest.raises(TransportError, match="unheard") as caught:
                await MqttTransport(at, "gw-test").connect()
    assert caught.value.kind is Trouble.LOST


@pytest.mark.parametrize("host", ["a..b", "x" * 64 + ".org", "two words", ""])
async def test_a_host_that_is_no_name_is_a_trouble_and_no_bug(host: str) -> None:
    with pytest.raises(TransportError) as caught:
        await MqttTransport(Broker(host=host, port=1), "gw-test").connect()
    assert caught.value.kind in (Trouble.NAME_UNKNOWN, Trouble.UNREACHABLE)


@pytest.mark.needs("mosquitto")
async def test_a_broker_that_does_not_know_us_is_told_as_such(tmp_path: Path) -> None:
    with brokers.mosquitto(tmp_path, "allow_anonymous false\n") as process:
        way = MqttTransport(Broker(host="127.0.0.1", port=process.port), "gw-test")
        async with asyncio.timeout(2):
            with pytest.raises(TransportError) as caught:
                await way.connect()
    assert caught.value.kind is Trouble.NOT_ADMITTED


async def test_tls_without_a_clock_is_a_mistake_of_ours(tmp_path: Path) -> None:
    from cloud_sync.transport.tls import TlsFiles

    at, files = Broker(host="127.0.0.1", port=1), TlsFiles(ca=tmp_path)
    with pytest.raises(ValueError, match="needs a clock"):
        MqttTransport(at, "gw-test", tls=files)
