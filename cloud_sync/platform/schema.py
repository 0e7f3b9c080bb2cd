# SPDX-License-Identifier: Apache-2.0
"""The platform's tables, for both databases.

The law of the module: an event's key is its journal and its seq, and a journal's is
its gateway and epoch; what was stored under a key is never written again. Column types
mean the same to SQLite and PostgreSQL; where the two differ, a word in braces stands.
Times are UTC ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from cloud_sync.platform import alarm_tables, command_tables, duty_tables
from cloud_sync.platform.database import DatabaseError
from cloud_sync.platform.uplink_tables import UPLINK_TABLES

if TYPE_CHECKING:
    from cloud_sync.platform.database import Work

#: Raised with every change of the tables; one that is not ours is left alone.
VERSION = "1"

TABLES = (
    "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    # ``heard_ms`` 0: never. What follows it is as the last hello said it.
    """CREATE TABLE IF NOT EXISTS gateway (
        gateway TEXT PRIMARY KEY,
        shard TEXT NOT NULL,
        note TEXT NOT NULL,
        added_ms BIGINT NOT NULL,
        heard_ms BIGINT NOT NULL DEFAULT 0,
        hello_ms BIGINT NOT NULL DEFAULT 0,
        firmware TEXT NOT NULL DEFAULT '',
        epoch TEXT NOT NULL DEFAULT '',
        last_seq BIGINT NOT NULL DEFAULT 0,
        feed_epoch TEXT NOT NULL DEFAULT '',
        feed_rev BIGINT NOT NULL DEFAULT 0)""",
    # ``hi`` is the contiguous watermark and ``hash`` its h_hi; ``repeated`` counts
    # events that came again and were passed over.
    """CREATE TABLE IF NOT EXISTS journal (
        id {identity},
        gateway TEXT NOT NULL,
        epoch TEXT NOT NULL,
        hi BIGINT NOT NULL,
        hash BYTEA NOT NULL,
        begun_ms BIGINT NOT NULL,
        repeated BIGINT NOT NULL DEFAULT 0,
        UNIQUE (gateway, epoch))""",
    # ``salt`` and ``pii`` are NULL once erased, and ``com`` stands for them.
    # ``kind`` is '' for what is in quarantine.
    """CREATE TABLE IF NOT EXISTS event (
        journal BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        kind TEXT NOT NULL,
        at TEXT NOT NULL,
        lo BIGINT NOT NULL,
        core TEXT NOT NULL,
        salt BYTEA,
        pii TEXT,
        com BYTEA,
        hash BYTEA NOT NULL,
        stored_ms BIGINT NOT NULL,
        PRIMARY KEY (journal, seq)) {clustered}""",
    "CREATE INDEX IF NOT EXISTS event_kind_lo ON event (kind, lo)",
    """CREATE TABLE IF NOT EXISTS quarantine (
        journal BIGINT NOT NULL,
        seq BIGINT NOT NULL,
        why TEXT NOT NULL,
        PRIMARY KEY (journal, seq))""",
    """CREATE TABLE IF NOT EXISTS alarm (
        gateway TEXT NOT NULL,
        epoch TEXT NOT NULL,
        seq BIGINT NOT NULL,
        kind TEXT NOT NULL,
        held BYTEA NOT NULL,
        offered BYTEA NOT NULL,
        at_ms BIGINT NOT NULL,
        PRIMARY KEY (gateway, epoch, seq, kind))""",
    """CREATE TABLE IF NOT EXISTS refusal (
        gateway TEXT NOT NULL,
        kind TEXT NOT NULL,
        times BIGINT NOT NULL,
        why TEXT NOT NULL,
        last_ms BIGINT NOT NULL,
        PRIMARY KEY (gateway, kind))""",
    """CREATE TABLE IF NOT EXISTS feed (
        gateway TEXT PRIMARY KEY,
        epoch TEXT NOT NULL,
        rev BIGINT NOT NULL,
        changed_ms BIGINT NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS feed_row (
        gateway TEXT NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        ver BIGINT NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (gateway, kind, id))""",
    *UPLINK_TABLES,
    "CREATE INDEX IF NOT EXISTS feed_row_by_ver ON feed_row (gateway, ver)",
    # What went, at which revision; nothing before ``floor`` is remembered. ``hash`` is
    # the sum of the rows' SHA256.
    """CREATE TABLE IF NOT EXISTS feed_gone (
        gateway TEXT NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        ver BIGINT NOT NULL,
        PRIMARY KEY (gateway, kind, id))""",
    """CREATE TABLE IF NOT EXISTS feed_head (
        gateway TEXT PRIMARY KEY,
        floor BIGINT NOT NULL,
        hash TEXT NOT NULL,
        count BIGINT NOT NULL)""",
    # What a gateway's last hello said that it reads, and the pull whose snapshot it
    # may fetch.
    """CREATE TABLE IF NOT EXISTS feed_reader (
        gateway TEXT PRIMARY KEY,
        reads_changes BIGINT NOT NULL,
        pull TEXT NOT NULL DEFAULT '',
        until_ms BIGINT NOT NULL DEFAULT 0)""",
    # Certificates that this platform issued; ``serial`` in hex, ``revoked_ms`` 0: good.
    """CREATE TABLE IF NOT EXISTS certificate (
        serial TEXT PRIMARY KEY,
        gateway TEXT NOT NULL,
        issued_ms BIGINT NOT NULL,
        ends_ms BIGINT NOT NULL,
        revoked_ms BIGINT NOT NULL DEFAULT 0,
        csr TEXT NOT NULL DEFAULT '',
        pem TEXT NOT NULL DEFAULT '')""",
    # One claim and what became of it. ``code`` and ``ticket`` are hashes; ``seen`` is
    # what both sides computed the digits from; ``state`` as in enrolment/claims.py.
    """CREATE TABLE IF NOT EXISTS enrolment (
        code TEXT PRIMARY KEY,
        gateway TEXT NOT NULL,
        site TEXT NOT NULL,
        replaces BIGINT NOT NULL,
        made_ms BIGINT NOT NULL,
        ends_ms BIGINT NOT NULL,
        state TEXT NOT NULL,
        ticket TEXT NOT NULL DEFAULT '',
        seen TEXT NOT NULL DEFAULT '',
        csr TEXT NOT NULL DEFAULT '',
        box TEXT NOT NULL DEFAULT '',
        seal TEXT NOT NULL DEFAULT '',
        promise TEXT NOT NULL DEFAULT '',
        nonce TEXT NOT NULL DEFAULT '',
        digits TEXT NOT NULL DEFAULT '',
        asked_ms BIGINT NOT NULL DEFAULT 0,
        tries BIGINT NOT NULL DEFAULT 0,
        certificate TEXT NOT NULL DEFAULT '')""",
    # The public keys of each box that enrolled (hex), and its site.
    """CREATE TABLE IF NOT EXISTS box (
        gateway TEXT PRIMARY KEY,
        site TEXT NOT NULL,
        box TEXT NOT NULL,
        seal TEXT NOT NULL,
        enrolled_ms BIGINT NOT NULL,
        renewed_ms BIGINT NOT NULL DEFAULT 0)""",
    # The public keys (hex) of boxes that were compared by hand, by their fingerprint.
    """CREATE TABLE IF NOT EXISTS compared_box (
        gateway TEXT PRIMARY KEY,
        box TEXT NOT NULL,
        compared_ms BIGINT NOT NULL)""",
    # What a site's boxes are given, encrypted (enrolment/keyring.py).
    """CREATE TABLE IF NOT EXISTS site_secret (
        site TEXT NOT NULL,
        use_ TEXT NOT NULL,
        number BIGINT NOT NULL,
        locked BYTEA NOT NULL,
        PRIMARY KEY (site, use_))""",
)


async def create(work: Work, *, identity: str, clustered: str) -> None:
    """Make the tables that are missing; DatabaseError if they are of another version.

    ``identity`` and ``clustered`` are the database's own words for a key that numbers
    itself and for a table that is kept in the order of its key.
    """
    rooms = (duty_tables, alarm_tables, command_tables)
    for statement in (*TABLES, *(each for room in rooms for each in room.TABLES)):
        words = {"{identity}": identity, "{clustered}": clustered}
        for word, own in words.items():
            statement = statement.replace(word, own)  # noqa: PLW2901
        await work.execute(statement)
    await work.execute(
        "INSERT INTO meta (name, value) VALUES ('schema', ?1) ON CONFLICT DO NOTHING",
        VERSION,
    )
    [(found,)] = await work.fetch("SELECT value FROM meta WHERE name = 'schema'")
    if found != VERSION:
        raise DatabaseError(
            f"the tables are of version {found} and this platform reads {VERSION}; "
            "run the version that made them, or choose another database"
        )
