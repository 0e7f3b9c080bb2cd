-- SPDX-License-Identifier: Apache-2.0
-- The roster, version 3: changes behind the snapshot that they change.

-- SHA256 of the row as it came; NULL for rows of before. A row of a change that went
-- has an empty body: it stands as long as the image knows the row.
ALTER TABLE entry ADD COLUMN digest BLOB;
-- Up to where the image holds the rows, and of which feed it is.
ALTER TABLE current ADD COLUMN base INTEGER NOT NULL DEFAULT 0;
ALTER TABLE current ADD COLUMN image_of TEXT NOT NULL DEFAULT '';
UPDATE current SET base = upto, image_of = epoch || '@' || rev || ' ' || hash;
