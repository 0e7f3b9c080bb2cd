# SPDX-License-Identifier: Apache-2.0
"""The vectors: what is good is taken by schema and code, what is bad by neither."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cloud_sync.feed import FeedPart
from cloud_sync.messages import read
from cloud_sync.refusal import RefusalKind, Refused
from cloud_sync.signing import PlatformKeys
from cloud_sync.topics import Channel
from tests.cloud_sync.contract import write
from tests.cloud_sync.contract.readers import verdict
from tests.cloud_sync.contract.samples import SAMPLES
from tests.cloud_sync.contract.schemas import SCHEMAS, flaws, flaws_as_sent
from tests.cloud_sync.contract.spoiling import STORED
from tests.cloud_sync.contract.written import FOLDER, written_events
from tests.cloud_sync.scripted_platform import EPOCH, Platform, genesis

Vector = dict[str, Any]
#: What may become of a value beside the kinds of refusal.
VERDICTS = {
    *(kind.value for kind in RefusalKind),
    *("GARBLED", "POISON", "NO_EVENT", "IGNORED", STORED),
    *("QUARANTINED", "QUARANTINED_BUT_HEEDED", "PASSED_OVER"),
}
SIGNED = {
    "hello.json": "signed_hello_answer.json",
    "ack.json": "signed_ack.json",
    "feed_part.json": "signed_feed_part.json",
    "nudge.json": "signed_nudge.json",
    "command.json": "signed_command.json",
    "certificate.json": "signed_certificate_answer.json",
}
#: Signed by the reference platform alone: test_answers_beside.py.
UNSIGNED = {"signed_heartbeat_answer.json", "signed_day_answer.json"}


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def judged(vectors: Vector) -> list[Vector]:
    """Return the vectors that stand alone: a part may be one of several."""
    valid = vectors["valid"] if "rows" not in vectors else []
    good = valid if isinstance(valid, list) else [valid]
    return [*vectors["invalid"], *vectors.get("unfit", []), *good]


FILES = {name: load(f"values/{name}") for name in SAMPLES}
VALID = [
    pytest.param(name, vector["value"], id=f"{name}-{vector['name']}")
    for name, vectors in FILES.items()
    for vector in vectors["valid"]
]
INVALID = [
    pytest.param(name, vector, id=f"{name}-{vector['why']}")
    for name, vectors in FILES.items()
    for vector in vectors["invalid"]
]
SENT = [
    pytest.param(SIGNED[name], vector, id=f"{name}-{vector.get('why', 'good')[:40]}")
    for name in SIGNED
    for vector in judged(load(name))
]


def test_the_files_are_what_is_written() -> None:
    for name, text in write.files().items():
        hint = f"{name}: run python -m tests.cloud_sync.contract.write"
        assert (FOLDER / name).read_text(encoding="utf-8") == text, hint


def test_every_schema_of_a_message_and_of_a_row_has_vectors_of_both_sorts() -> None:
    parts = {"common.json", "cloud_event.json"}
    parts |= {"event_core.json", "event_kinds.json", "event_person.json"}
    parts |= {*SIGNED.values(), *UNSIGNED}
    assert SCHEMAS.keys() - parts == FILES.keys()
    for vectors in FILES.values():
        assert vectors["valid"]
        assert vectors["invalid"]


@pytest.mark.parametrize(("name", "value"), VALID)
def test_what_is_good_is_taken_by_schema_and_code(name: str, value: Any) -> None:
    assert flaws(name, value) == []
    assert verdict(name, value) == ""


@pytest.mark.parametrize(("name", "vector"), INVALID)
def test_what_is_bad_is_refused_by_schema_and_code(name: str, vector: Vector) -> None:
    assert vector["verdict"] in VERDICTS
    told = verdict(name, vector["value"])
    assert told == (vector["verdict"] if vector["verdict"] != STORED else "")
    said = flaws(name, vector["value"])
    assert bool(said) is ("unsaid" not in vector), vector.get("unsaid", "no flaw said")


@pytest.mark.parametrize(("name", "vector"), SENT)
def test_schemas_judge_what_was_signed_as_well(name: str, vector: Vector) -> None:
    said = flaws_as_sent(name, vector["jws"])
    is_bad = "why" in vector and "unsaid" not in vector
    assert bool(said) is is_bad, said


def test_parts_of_a_snapshot_fit_as_they_were_signed() -> None:
    vectors = load("feed_part.json")
    for vector in [*vectors["valid"], vectors["current"]]:
        assert flaws_as_sent("signed_feed_part.json", vector["jws"]) == []


def test_the_journal_of_the_vectors_verifies_at_the_platform() -> None:
    (batch,) = (
        vector["value"]
        for vector in FILES["event_batch.json"]["valid"]
        if vector["name"] == "every kind of event"
    )
    platform, hashes = (
        Platform(),
        [row["hash"] for row in load("events.json")["events"]],
    )
    assert batch["data"]["prev"] == genesis(EPOCH).hex()
    platform._batch(batch["data"])
    assert [link.hex() for link in platform.chains[EPOCH]] == hashes
    assert platform.alarms == []
    assert [record.hash.hex() for record in written_events(EPOCH)] == hashes


def test_the_keys_of_the_vectors_open_them() -> None:
    keys = PlatformKeys(load("keys.json")["public"])
    part = load("feed_part.json")
    jws = part["current"]["jws"].encode()
    body = keys.open(jws, Channel.FEED.purpose, part["gateway"])
    assert not isinstance(body, Refused)
    assert isinstance(read(Channel.FEED, body), FeedPart)
