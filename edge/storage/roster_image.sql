-- SPDX-License-Identifier: Apache-2.0
-- The roster, version 2: an image of the snapshot in force as the rules hold it.

-- Parts in their order. It is a cache: whoever reads it checks its seal, and without
-- it the rows are read as before.
CREATE TABLE image (
    part INTEGER PRIMARY KEY,
    body BLOB NOT NULL
) STRICT;
