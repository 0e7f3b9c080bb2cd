-- SPDX-License-Identifier: Apache-2.0
-- The journal, version 1: events in the order of their places, and little else.

-- One row an event. `place` counts since the file was made, over all epochs; within
-- its epoch an event has seq = place - epoch.base. It is the rowid, without
-- AUTOINCREMENT, whose second table would cost 4 kB of writes an event. A person is
-- either here (salt, pii) or erased (com stands for both), never half.
CREATE TABLE event (
    place INTEGER PRIMARY KEY,
    core  TEXT NOT NULL,
    salt  BLOB,
    pii   TEXT,
    com   BLOB,
    hash  BLOB NOT NULL,
    CHECK ((salt IS NULL) = (pii IS NULL) AND (salt IS NULL) <> (com IS NULL))
) STRICT;

-- Journal epochs; `base` is the place before an epoch's first event.
CREATE TABLE epoch (
    counter INTEGER PRIMARY KEY,
    name    TEXT NOT NULL UNIQUE,
    base    INTEGER NOT NULL
) STRICT;

-- One row: how far the platform has acknowledged, and how far old rows were trimmed
-- away, with the hash on which the first row that was kept builds.
CREATE TABLE mark (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    acked        INTEGER NOT NULL,
    trimmed      INTEGER NOT NULL,
    trimmed_hash BLOB
) STRICT;
INSERT INTO mark (id, acked, trimmed) VALUES (1, 0, 0);

-- At most one row: the controller's state after the event at `place`.
CREATE TABLE state (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    place INTEGER NOT NULL,
    body  TEXT NOT NULL
) STRICT;
