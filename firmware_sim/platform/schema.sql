-- SPDX-License-Identifier: Apache-2.0
-- Two ledgers beside each other. `keyed` cannot hold a key twice; `applied` is naive:
-- it takes a row for every item that arrives and was accepted, in order of arrival,
-- and says whether its effect was run. Only so can a doubled effect be seen at all.

-- One journal epoch of one gateway, and how far it has come without a gap.
CREATE TABLE IF NOT EXISTS stream (
    id       INTEGER PRIMARY KEY,
    gateway  TEXT    NOT NULL,
    epoch    TEXT    NOT NULL,
    hi       INTEGER NOT NULL DEFAULT 0,
    hash     BLOB    NOT NULL,            -- h_hi as computed here
    refused  INTEGER NOT NULL DEFAULT 0,  -- items of batches that were not applied
    UNIQUE (gateway, epoch)
) STRICT;

CREATE TABLE IF NOT EXISTS keyed (
    stream INTEGER NOT NULL REFERENCES stream (id),  -- that is: gateway, epoch
    seq    INTEGER NOT NULL,
    core   TEXT    NOT NULL,
    salt   BLOB,
    pii    TEXT,
    com    BLOB,                          -- of an erased item, in place of salt, pii
    hash   BLOB    NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS batch (
    id     INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL REFERENCES stream (id),
    name   TEXT    NOT NULL               -- epoch:first-last, as the gateway wrote it
) STRICT;

CREATE TABLE IF NOT EXISTS applied (
    arrival INTEGER PRIMARY KEY,
    batch   INTEGER NOT NULL REFERENCES batch (id),
    seq     INTEGER NOT NULL,
    hash    BLOB    NOT NULL,
    was_new INTEGER NOT NULL              -- 1: the effect was run for this arrival
) STRICT;

-- The same key with another hash: written once, changes nothing.
CREATE TABLE IF NOT EXISTS alarm (
    stream  INTEGER NOT NULL REFERENCES stream (id),
    seq     INTEGER NOT NULL,
    held    BLOB    NOT NULL,
    offered BLOB    NOT NULL,
    PRIMARY KEY (stream, seq, offered)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS quarantine (
    stream INTEGER NOT NULL REFERENCES stream (id),
    seq    INTEGER NOT NULL,
    why    TEXT    NOT NULL,
    raw    TEXT    NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;

-- Whole payloads outside the contract, the latest of them.
CREATE TABLE IF NOT EXISTS garbled (
    id      INTEGER PRIMARY KEY,
    gateway TEXT NOT NULL,                -- empty: from nobody we know
    why     TEXT NOT NULL,
    raw     BLOB NOT NULL
) STRICT;

-- For people and checkers: the keys by their names.
CREATE VIEW IF NOT EXISTS event AS
    SELECT gateway, epoch, seq, core, pii, keyed.hash
    FROM keyed JOIN stream ON stream.id = keyed.stream;

CREATE VIEW IF NOT EXISTS arrival AS
    SELECT arrival, gateway, epoch, seq, applied.hash, batch.name AS batch, was_new
    FROM applied JOIN batch ON batch.id = applied.batch
    JOIN stream ON stream.id = batch.stream;
