# SPDX-License-Identifier: Apache-2.0
"""The questions that the doctor asks, in their order, each with what mends it.

The law of the module: names stay as they are, since scripts read them and ``--accept``
takes them; ``docs/brokers.md`` has a row for each.
Source: mosquitto.conf(5) of 2.0.11; the NATS documentation on MQTT, authorization and
TLS for 2.9; both servers asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Part(StrEnum):
    """What a question is about."""

    NEED = "need"
    HINT = "hint"
    SETTING = "setting"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One thing that is asked of a broker.

    ``asks`` is the question in plain words; ``mosquitto`` and ``nats`` are the lines
    that mend a bad answer, "" where there is nothing to write.
    """

    name: str
    part: Part
    asks: str
    mosquitto: str = ""
    nats: str = ""


_NEEDS = (
    Question(
        name="connect",
        part=Part.NEED,
        asks="does the broker take an MQTT 3.1.1 connection of the gateway's account",
        mosquitto="a certificate of cafile's CA and not in crlfile, or a password",
        nats='users: [{ user: "CN=GATEWAY", … }], a certificate of ca_file\'s CA',
    ),
    Question(
        name="up",
        part=Part.NEED,
        asks="does what a gateway writes on its topics reach the platform",
        mosquitto="pattern write mn/v1/up/+/%u/#",
        nats='publish: ["mn.v1.up.*.GATEWAY.>"]',
    ),
    Question(
        name="down",
        part=Part.NEED,
        asks="does what the platform writes reach the gateway",
        mosquitto="pattern read mn/v1/dn/%u/#",
        nats='subscribe: ["mn.v1.dn.GATEWAY.>", "$MQTT.sub.>"]',
    ),
    Question(
        name="payload-64k",
        part=Part.NEED,
        asks="does a payload of 64 KiB pass",
        mosquitto="max_packet_size 1048576, or no such line",
        nats="max_payload: 1MB; nats-server 2.9 does not ask for it",
    ),
)

_SETTINGS = (
    Question(
        name="plain",
        part=Part.SETTING,
        asks="does the broker speak without TLS",
        mosquitto="listener 1883 127.0.0.1, or no listener without certfile at all",
        nats="tls { … } inside mqtt { … }, which then takes nothing else",
    ),
    Question(
        name="anonymous",
        part=Part.SETTING,
        asks="is a client let in that shows neither certificate nor password",
        mosquitto="allow_anonymous false, require_certificate true",
        nats="authorization { users … }, no no_auth_user; verify_and_map: true",
    ),
    Question(
        name="stranger",
        part=Part.SETTING,
        asks="is a client let in under a name that nobody gave it",
        mosquitto="allow_anonymous false, password_file or require_certificate true",
        nats="authorization { users: [{user, password: a bcrypt hash}] }",
    ),
    Question(
        name="write-up",
        part=Part.SETTING,
        asks="may a gateway write as another gateway",
        mosquitto="acl_file with pattern write mn/v1/up/+/%u/# and no wider rule",
        nats='publish: ["mn.v1.up.*.GATEWAY.>"] for each user',
    ),
    Question(
        name="write-down",
        part=Part.SETTING,
        asks="may a gateway write where only the platform speaks",
        mosquitto="acl_file with pattern read, not readwrite, mn/v1/dn/%u/#",
        nats='publish: ["mn.v1.up.*.GATEWAY.>"] and nothing below mn.v1.dn',
    ),
    Question(
        name="read-up",
        part=Part.SETTING,
        asks="may a gateway read what another one writes",
        mosquitto="acl_file with pattern write, not readwrite, mn/v1/up/+/%u/#",
        nats='subscribe: ["mn.v1.dn.GATEWAY.>", "$MQTT.sub.>"] for each user',
    ),
    Question(
        name="read-down",
        part=Part.SETTING,
        asks="may a gateway read what the platform tells another",
        mosquitto="acl_file with pattern read mn/v1/dn/%u/# and no wider rule",
        nats='subscribe: ["mn.v1.dn.GATEWAY.>", "$MQTT.sub.>"] for each user',
    ),
    Question(
        name="read-all",
        part=Part.SETTING,
        asks="does subscribing '#' deliver what is not the gateway's own",
        mosquitto="acl_file with pattern read mn/v1/dn/%u/# and no topic rule for all",
        nats='subscribe: ["mn.v1.dn.GATEWAY.>", "$MQTT.sub.>"] for each user',
    ),
    Question(
        name="takeover",
        part=Part.SETTING,
        asks="can another account enter under a gateway's client id",
        mosquitto="use_username_as_clientid true, in the listener's section",
        nats=(
            "no setting of 2.9 mends it: withdraw the stolen account at once, and "
            "say --accept takeover"
        ),
    ),
)

_HINTS = (
    Question(
        name="retained",
        part=Part.HINT,
        asks="does a retained message come to who subscribes its topic",
    ),
    Question(
        name="retained-wildcard",
        part=Part.HINT,
        asks="and to who subscribes with a wildcard",
    ),
    Question(
        name="last-will",
        part=Part.HINT,
        asks="is the last will published when the line is cut",
    ),
    Question(
        name="session-queue",
        part=Part.HINT,
        asks="does a persistent session keep what comes while its client is away",
    ),
    Question(
        name="shared",
        part=Part.HINT,
        asks="does a shared subscription ($share) deliver anything",
    ),
    Question(
        name="qos2",
        part=Part.HINT,
        asks="are subscriptions and messages taken at QoS 2",
    ),
    Question(
        name="mqtt5",
        part=Part.HINT,
        asks="is MQTT 5 spoken, and what do its acknowledgements tell",
    ),
    Question(
        name="payload-above",
        part=Part.HINT,
        asks="do larger payloads pass",
    ),
    Question(
        name="denial-told",
        part=Part.HINT,
        asks="does a gateway learn that a message of its was denied",
    ),
)

QUESTIONS = {each.name: each for each in (*_NEEDS, *_SETTINGS, *_HINTS)}
