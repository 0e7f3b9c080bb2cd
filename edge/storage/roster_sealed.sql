-- SPDX-License-Identifier: Apache-2.0
-- The roster, version 4: rows are sealed (edge/storage/seal.py). What stood open is
-- sealed in this very transaction (edge/storage/roster_sealing.py).

ALTER TABLE entry RENAME TO open_entry;

-- `name` is a keyed digest of kind and id. A row of a change that went `is_gone`, and
-- stands as long as the image knows the row. `is_apart`: one of few, read with each
-- change. `cell` holds id, digest and body.
CREATE TABLE entry (
    place    INTEGER PRIMARY KEY,
    kind     TEXT NOT NULL,
    name     BLOB NOT NULL,
    ver      INTEGER NOT NULL,
    is_gone  INTEGER NOT NULL,
    is_apart INTEGER NOT NULL,
    cell     BLOB NOT NULL
) STRICT;

-- By which key the file is sealed.
ALTER TABLE current ADD COLUMN key TEXT NOT NULL DEFAULT '';
-- It is packed anew of the rows.
DELETE FROM image;
