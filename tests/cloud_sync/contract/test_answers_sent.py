# SPDX-License-Identifier: Apache-2.0
"""What the simulated platform answers fits the schemas of the topics it comes on."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from firmware_sim.platform.counts import count_garbled, count_journals
from firmware_sim.platform.feed import parse_row
from firmware_sim.platform.feed_store import FeedStore
from firmware_sim.platform.keys import load_signer
from firmware_sim.platform.ledger import Ledger
from firmware_sim.platform.session import Publish, Session
from tests.cloud_sync.contract.documents import (
    followed,
    message_of,
    operations,
    schema_of,
)
from tests.cloud_sync.contract.samples import ROWS, SAMPLES
from tests.cloud_sync.contract.schemas import flaws_as_sent
from tests.cloud_sync.contract.written import written_events
from tests.cloud_sync.scripted_platform import EPOCH, GATEWAY, SHARD

if TYPE_CHECKING:
    from pathlib import Path

NOW_MS = 1_767_600_000_000
#: Each topic down, with the schema of what comes on it.
SCHEMAS_DOWN = {
    followed(operation["channel"])["address"].format(gateway=GATEWAY): schema_of(
        message_of(operation)
    )
    for operation in operations("receive")
}


def say(session: Session, leaf: str, value: Any) -> list[Publish]:
    payload = json.dumps(value, ensure_ascii=False).encode()
    return session.receive(f"mn/v1/up/{SHARD}/{GATEWAY}/{leaf}", payload, NOW_MS)


def wishes() -> list[dict[str, Any]]:
    """Return the commands without what the platform draws for each."""
    drawn = {"gw", "jti", "nonce", "iat", "exp"}
    return [
        {field: value for field, value in body.items() if field not in drawn}
        for body in SAMPLES["command.json"].values()
    ]


def test_the_simulated_platform_takes_and_answers_by_the_schemas(
    tmp_path: Path,
) -> None:
    file = tmp_path / "ledger.db"
    with closing(Ledger(file)) as ledger, closing(FeedStore(tmp_path / "f.db")) as feed:
        session = Session(
            registry={GATEWAY: SHARD},
            ledger=ledger,
            store=feed,
            signer=load_signer(tmp_path / "platform.key"),
        )
        every_kind = SAMPLES["event_batch.json"]["every kind of event"]
        new = SAMPLES["hello.json"]["of a new gateway"]
        last = written_events(EPOCH)[-1]
        stand = {"last_seq": last.seq, "head": last.hash.hex()}
        cursor = {"epoch": feed.feed.cursor.epoch, "rev": 0}
        pull = SAMPLES["pull.json"]["of one that holds none"]
        answers = [
            *say(session, "hello", new),
            *say(session, "evt", every_kind),
            *say(session, "hello", new | {"data": new["data"] | stand}),
            *say(session, "pull", pull | {"data": cursor}),
            *session.change(
                parse_row(row)
                for samples in ROWS.values()
                for row in samples.values()
                if row.keys() == {"kind", "id", "ver", "body"}
            ),
            *say(session, "pull", pull),
            *(session.command(GATEWAY, wish, NOW_MS) for wish in wishes()),
            *say(session, "csr", SAMPLES["certificate_wish.json"]["plain"]),
        ]
        for result in SAMPLES["result.json"].values():
            assert say(session, "res", result) == [], "nobody acknowledges a result"
    # This platform is of before there were heartbeats and days, and none is sent to it.
    later = {f"mn/v1/dn/{GATEWAY}/{leaf}" for leaf in ("hb", "day")}
    assert {answer.topic for answer in answers} == SCHEMAS_DOWN.keys() - later
    for topic, payload in answers:
        assert flaws_as_sent(SCHEMAS_DOWN[topic], payload.decode()) == [], topic
    (journal,) = count_journals(file)
    assert journal.stored == last.seq
    assert (journal.alarms, count_garbled(file)) == (0, 0)
