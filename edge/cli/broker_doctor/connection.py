# SPDX-License-Identifier: Apache-2.0
"""One connection of the doctor to the broker, opened, watched and ended.

The law of the module: it tells what the broker did and judges nothing; every wait ends
with its answer, with the loss of the connection or with the examination's time. Unlike
the gateway's own client it can be rude: cut the line, enter under another's client id.
Source: MQTT 3.1.1 and 5.0 (OASIS); paho-mqtt 2.2.0, its code read.
"""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from paho.mqtt.properties import Properties
    from paho.mqtt.reasoncodes import ReasonCode

    from edge.cli.broker_doctor.account import Account
    from edge.cli.broker_doctor.budget import Budget

#: TCP and TLS together, and each answer of the broker.
ANSWER_WITHIN_S = 3.0
KEEPALIVE_S = 20
#: A broker that delivers everything to everybody may have much to deliver.
HEARD_MESSAGES = 2_000
#: A refusal in a SUBACK; below it is the QoS that was granted.
REFUSED_FROM = 0x80


class BrokerError(Exception):
    """The broker did not do what was asked; says what it did instead."""


class UnreachableError(BrokerError):
    """Nobody listens there, or nobody answers."""


class RefusedError(BrokerError):
    """Somebody listens, and it came to no agreement: on keys, or on who this is.

    ``is_answered``: by a CONNACK, so that it is certain that MQTT is spoken there.
    """

    def __init__(self, why: str, *, is_answered: bool) -> None:
        super().__init__(why)
        self.is_answered = is_answered


class LostError(BrokerError):
    """The broker ended the connection, or left a question without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """Where the broker is; ``ca`` None for plain TCP."""

    host: str
    port: int
    ca: Path | None = None

    def plain(self, port: int) -> Door:
        """Return the same machine without TLS."""
        return replace(self, port=port, ca=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A message that arrived; of its payload the hash alone, it may be a stranger's."""

    topic: str
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to enter: under which client id, with what kind of session."""

    identifier: str
    is_clean: bool = True
    will_topic: str = ""
    is_v5: bool = False


class Connection:
    """An MQTT connection as a context; its methods wait for the broker's answer."""

    def __init__(
        self, door: Door, account: Account | None, manner: Manner, budget: Budget
    ) -> None:
        self._budget = budget
        self._changed = threading.Condition()
        self._entered: ReasonCode | None = None
        self._lost: str | None = None
        self._acknowledged: dict[int, int] = {}
        self._granted: dict[int, int] = {}
        self._door = door
        self._manner = manner
        self.heard: list[Heard] = []
        self.has_session = False
        self._client = self._make(account, manner)

    def __enter__(self) -> Self:
        self._client.connect_timeout = self._budget.at_most(ANSWER_WITHIN_S)
        try:
            self._client.connect(self._door.host, self._door.port, KEEPALIVE_S)
        except (ssl.SSLError, ConnectionResetError, BrokenPipeError) as fault:
            raise RefusedError(_why(fault), is_answered=False) from fault
        except (OSError, ValueError) as fault:
            raise UnreachableError(_why(fault)) from fault
        self._client.loop_start()
        try:
            self._await_entry()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._end()

    @property
    def is_lost(self) -> bool:
        """Whether the broker ended it."""
        return self._lost is not None

    def subscribe(self, topic: str, qos: int = 1) -> int:
        """Return what the SUBACK says: the granted QoS, or from REFUSED_FROM on no."""
        _, number = self._client.subscribe(topic, qos=qos)
        assert number is not None  # noqa: S101  None is for a closed socket alone
        self._wait(lambda: number in self._granted, f"SUBSCRIBE {topic}")
        return self._granted[number]

    def publish(
        self,
        topic: str,
        payload: bytes | str = b"",
        qos: int = 1,
        *,
        retain: bool = False,
    ) -> int:
        """Publish; return the reason code of its acknowledgement, 0 for 3.1.1."""
        number = self._client.publish(topic, payload, qos=qos, retain=retain).mid
        self._wait(lambda: number in self._acknowledged, f"PUBLISH {topic}")
        return self._acknowledged[number]

    def publish_all(self, topic: str, payloads: Sequence[str]) -> None:
        """Publish one after the other, without waiting between them."""
        sent = [self._client.publish(topic, payload, qos=1) for payload in payloads]
        numbers = {message.mid for message in sent}
        self._wait(lambda: numbers <= self._acknowledged.keys(), f"PUBLISH {topic}")

    def hears(self, payload: bytes | str, within_s: float) -> bool:
        """Wait for a message with this payload; False if it does not come."""
        wanted = _digest(payload.encode() if isinstance(payload, str) else payload)
        return self._until(lambda: wanted in {m.digest for m in self.heard}, within_s)

    def hears_so_many(self, topic: str, count: int, within_s: float) -> int:
        """Wait for so many messages on a topic; return how many came."""

        def came() -> int:
            return [message.topic for message in self.heard].count(topic)

        self._until(lambda: came() >= count, within_s)
        return came()

    def is_ended_within(self, seconds: float) -> bool:
        """Wait for the broker to end the connection."""
        return self._until(lambda: self._lost is not None, seconds)

    def cut(self) -> None:
        """Break the line without a farewell."""
        wire = self._client.socket()
        if isinstance(wire, socket.socket):
            with suppress(OSError):
                wire.shutdown(socket.SHUT_RDWR)

    def _make(self, account: Account | None, manner: Manner) -> mqtt.Client:
        version = MQTTProtocolVersion.MQTTv5 if manner.is_v5 else None
        client = mqtt.Client(
            CallbackAPIVersion.VERSION2,
            client_id=manner.identifier,
            clean_session=None if manner.is_v5 else manner.is_clean,
            protocol=version or MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        if account is not None and account.password is not None:
            client.username_pw_set(account.name, account.password)
        if self._door.ca is not None:
            client.tls_set_context(client_tls(self._door.ca, account))
        if manner.will_topic:
            client.will_set(manner.will_topic, b"offline", qos=1)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        return client

    def _await_entry(self) -> None:
        try:
            self._wait(lambda: self._entered is not None, "CONNECT")
        except LostError as fault:
            if self._lost is None:
                raise UnreachableError(str(fault)) from fault
            raise RefusedError(str(fault), is_answered=False) from fault
        if self._entered is not None and self._entered.is_failure:
            why = f"the broker answers: {self._entered}"
            raise RefusedError(why, is_answered=True)

    def _wait(self, answered: Callable[[], bool], question: str) -> None:
        self._until(lambda: answered() or self._lost is not None, ANSWER_WITHIN_S)
        if answered():
            return
        if self._lost is not None:
            raise LostError(f"the broker closed the connection at {question}")
        raise LostError(f"no answer to {question}")

    def _until(self, holds: Callable[[], bool], within_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(holds, self._budget.at_most(within_s))

    def _end(self) -> None:
        self._client.loop_stop()
        wire = self._client.socket()
        if wire is not None:
            wire.close()

    def _on_connect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        flags: mqtt.ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        with self._changed:
            self.has_session = flags.session_present
            self._entered = code
            self._changed.notify_all()

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        with self._changed:
            self._lost = str(code)
            self._changed.notify_all()

    def _on_message(
        self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage
    ) -> None:
        heard = Heard(topic=message.topic, digest=_digest(message.payload))
        with self._changed:
            if len(self.heard) < HEARD_MESSAGES:
                self.heard.append(heard)
            self._changed.notify_all()

    def _on_publish(
        self,
        _client: mqtt.Client,
        _userdata: object,
        number: int,
        code: ReasonCode,
        _properties: Properties,
    ) -> None:
        with self._changed:
            self._acknowledged[number] = code.value
            self._changed.notify_all()

    def _on_subscribe(
        self,
        _client: mqtt.Client,
        _userdata: object,
        number: int,
        codes: list[ReasonCode],
        _properties: Properties,
    ) -> None:
        with self._changed:
            self._granted[number] = codes[0].value
            self._changed.notify_all()


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself where keys cannot be agreed on; paho leaves that to chance."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002
        try:
            super().do_handshake(block)
        except BaseException:
            self.close()
            raise


def client_tls(ca: Path, account: Account | None) -> ssl.SSLContext:
    """Return how to speak TLS as an account; OSError for files that do not serve."""
    context = ssl.create_default_context(cafile=str(ca))
    context.sslsocket_class = _ClosingSocket
    if account is not None and account.certificate is not None:
        context.load_cert_chain(account.certificate, account.key, password="")
    return context


def _digest(payload: bytes | bytearray) -> bytes:
    return hashlib.sha256(payload).digest()


def _why(fault: Exception) -> str:
    if isinstance(fault, ssl.SSLCertVerificationError):
        return f"the broker's certificate is not good: {fault.verify_message}"
    if isinstance(fault, ssl.SSLError):
        return f"TLS failed: {fault.reason or fault}"
    if isinstance(fault, TimeoutError):
        return f"no answer within {ANSWER_WITHIN_S:.0f} s"
    if isinstance(fault, OSError) and fault.strerror:
        return fault.strerror.lower()
    return str(fault)
