-- SPDX-License-Identifier: Apache-2.0
-- The roster, version 1: the platform's feed, one snapshot in force, one staged.

-- Rows in the order of their arrival, whatever snapshot they belong to. Their keys
-- arrive in no order: with a key on (kind, id) every row of a big snapshot would
-- rewrite a page of its own, 1,010 MB of writes for 100,000 rows instead of 33.
CREATE TABLE entry (
    place INTEGER PRIMARY KEY,
    kind  TEXT NOT NULL,
    id    TEXT NOT NULL,
    ver   INTEGER NOT NULL,
    body  TEXT NOT NULL
) STRICT;

-- One row: the places of the snapshot in force, and the cursor of the feed it is.
-- A swap changes these numbers and no entry.
CREATE TABLE current (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    after      INTEGER NOT NULL,
    upto       INTEGER NOT NULL,
    epoch      TEXT NOT NULL,
    rev        INTEGER NOT NULL,
    hash       TEXT NOT NULL,
    count      INTEGER NOT NULL,
    applied_ms INTEGER NOT NULL
) STRICT;
INSERT INTO current VALUES (1, 0, 0, '', 0, '', 0, 0);
