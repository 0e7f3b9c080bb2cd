# SPDX-License-Identifier: Apache-2.0
"""The documents by themselves, and against the code that they describe."""

from __future__ import annotations

import re

import pytest
from jsonschema import Draft202012Validator

from cloud_sync.outputs import Publish
from cloud_sync.topics import Channel, Topics
from edge.core.event import EventKind
from edge.core.people import roster_row
from edge.core.remote.command import REMOTE_MODES, Action, CommandState
from tests.cloud_sync.contract.documents import (
    DOCUMENT,
    files_reached,
    followed,
    message_of,
    operations,
    references,
    schema_of,
)
from tests.cloud_sync.contract.schemas import ROOM, SCHEMAS, Json, looked_up
from tests.cloud_sync.contract.written import items
from tests.cloud_sync.scripted_platform import GATEWAY, SHARD

TOPICS = Topics(gateway=GATEWAY, shard=SHARD)
UP = {
    getattr(TOPICS, name)
    for name, member in vars(Topics).items()
    if isinstance(member, property) and name != "down"
}
DOWN = dict(zip(Channel, TOPICS.down, strict=True))
KINDS = {
    branch["if"]["properties"]["k"]["const"]: branch["then"]
    for branch in SCHEMAS["event_kinds.json"]["allOf"]
}
FACTS = SCHEMAS["event_kinds.json"]["$defs"]
PAGE = (ROOM.parent / "docs" / "sync-contract.md").read_text(encoding="utf-8")


def topic(address: str) -> str:
    return address.format(gateway=GATEWAY, shard=SHARD)


def address(operation: Json) -> str:
    return topic(followed(operation["channel"])["address"])


def topics(action: str) -> list[str]:
    return [address(operation) for operation in operations(action)]


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_one(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])
    assert SCHEMAS[name]["$schema"].endswith("/draft/2020-12/schema")
    assert {"title", "description"} <= SCHEMAS[name].keys()


@pytest.mark.parametrize("name", SCHEMAS)
def test_references_lead_somewhere_and_mean_the_same_in_draft_7(name: str) -> None:
    # Tools of AsyncAPI read schemas as draft 7, where nothing counts beside a $ref.
    for _, holder in references(SCHEMAS[name]):
        assert holder.keys() <= {"$ref", "description"}, holder
        assert looked_up(holder, name)


def test_the_document_leads_to_every_schema() -> None:
    assert files_reached() == SCHEMAS.keys()


def test_every_shared_definition_is_used() -> None:
    named = {to.rpartition("/")[2] for to, _ in references(SCHEMAS)}
    assert SCHEMAS["common.json"]["$defs"].keys() <= named


def test_every_topic_stands_in_the_document_and_no_other() -> None:
    addresses = [channel["address"] for channel in DOCUMENT["channels"].values()]
    assert sorted(map(topic, addresses)) == sorted([*UP, *TOPICS.down])
    assert sorted(topics("send")) == sorted(UP)
    assert sorted(topics("receive")) == sorted(TOPICS.down)


def test_shards_and_gateways_are_those_that_can_be_topics() -> None:
    parameters = DOCUMENT["components"]["parameters"]
    pattern = SCHEMAS["common.json"]["$defs"]["gateway"]["pattern"]
    assert pattern.strip("^$") in parameters["gateway"]["description"]
    assert parameters["gateway"]["examples"] == [GATEWAY]
    told = set(parameters["shard"]["enum"])
    assert told == {f"{number:02}" for number in range(100) if can_be(f"{number:02}")}


def can_be(shard: str) -> bool:
    try:
        Topics(gateway=GATEWAY, shard=shard)
    except ValueError:
        return False
    return True


def test_everything_goes_once_confirmed_and_is_never_retained() -> None:
    sent = Publish(topic=TOPICS.hello, payload=b"")
    for operation in [*operations("send"), *operations("receive")]:
        mqtt = followed(operation["bindings"])["mqtt"]
        # A heartbeat that is lost is healed by the next.
        qos = 0 if address(operation) == TOPICS.heartbeat else sent.qos
        assert (mqtt["qos"], mqtt["retain"]) == (qos, False)


def test_each_question_has_an_address_of_its_own_for_the_answer() -> None:
    every = [*operations("send"), *operations("receive")]
    asking = [operation for operation in every if "reply" in operation]
    asked = {address(operation) for operation in asking}
    answers = {address(operation["reply"]) for operation in asking}
    assert len(asked) == len(answers) == len(asking)
    assert asked == UP - {TOPICS.result, TOPICS.alarm} | {DOWN[Channel.COMMAND]}
    assert answers == {*DOWN.values(), TOPICS.result} - asked - {DOWN[Channel.NUDGE]}
    for operation in asking:
        channel = followed(operation["reply"]["channel"])
        (only,) = channel["messages"].values()
        assert followed(only) == message_of(operation["reply"])


def test_a_body_down_is_signed_for_the_channel_it_comes_on() -> None:
    purposes = []
    for operation in operations("receive"):
        channel = TOPICS.channel(address(operation))
        assert channel is not None
        message = message_of(operation)
        header, _ = SCHEMAS[schema_of(message)]["contentSchema"]["prefixItems"]
        assert header["properties"]["typ"]["const"] == message["name"]
        assert message["name"] == channel.purpose
        purposes.append(channel.purpose)
    header, _ = looked_up({"$ref": "jws_header.json"}, "")
    assert sorted(header["properties"]["typ"]["enum"]) == sorted(purposes)
    assert sorted(purposes) == sorted(channel.purpose for channel in Channel)


def test_an_envelope_up_has_the_type_of_its_message() -> None:
    for operation in operations("send"):
        message = message_of(operation)
        schema = SCHEMAS[schema_of(message)]
        assert schema["properties"]["type"]["const"] == message["name"]


def test_every_kind_of_event_stands_in_the_schema_and_no_other() -> None:
    assert list(KINDS) == [kind.value for kind in EventKind]
    assert all(told["description"] for told in KINDS.values())


def test_every_fact_is_explained_and_belongs_to_a_kind() -> None:
    used = {fact for told in KINDS.values() for fact in told.get("properties", {})}
    assert used == FACTS.keys()
    assert all(fact["description"] for fact in FACTS.values())
    for told in KINDS.values():
        for fact, schema in told.get("properties", {}).items():
            assert schema == {"$ref": f"#/$defs/{fact}"}


def test_the_journal_of_the_vectors_has_every_kind_with_every_fact() -> None:
    fixed = set(SCHEMAS["event_core.json"]["required"])
    written = {item["core"]["k"]: item["core"].keys() - fixed for item in items()}
    assert written == {
        kind: set(told.get("properties", {})) for kind, told in KINDS.items()
    }


def test_every_action_mode_and_state_stands_in_the_schemas_and_no_other() -> None:
    command, result = SCHEMAS["command.json"], SCHEMAS["result.json"]
    actions = command["properties"]["action"]["enum"]
    own = {
        branch["if"]["properties"]["action"]["const"]: branch["then"]["properties"]
        for branch in command["allOf"]
    }
    assert actions == [*Action]
    assert [*own, Action.FEED_REFRESH] == actions, "one has no fields of its own"
    assert own[Action.MODE]["mode"]["enum"] == [*REMOTE_MODES]
    told = result["properties"]
    assert told["data"]["properties"]["state"]["enum"] == [*CommandState]
    assert f":({'|'.join(CommandState)})$" in told["id"]["pattern"]


def test_every_kind_of_row_has_a_schema_and_no_other() -> None:
    named = {
        schema["properties"]["kind"]["const"]
        for name, schema in SCHEMAS.items()
        if name.startswith("row_")
    }
    # Sealed keys are no row of a roster: they are opened beside it.
    assert named == roster_row._PARSERS.keys() | {"key"}


def test_the_page_tells_of_every_message_kind_of_row_and_file() -> None:
    messages = [followed(m) for m in DOCUMENT["components"]["messages"].values()]
    assert all(f"`{message['name']}`" in PAGE for message in messages)
    assert all(f"| `{kind}` |" in PAGE for kind in roster_row._PARSERS)
    assert {"cloud_sync/asyncapi.yaml", "cloud_sync/schemas/"} <= set(
        re.findall(r"`(cloud_sync/[\w./]+)`", PAGE)
    )
