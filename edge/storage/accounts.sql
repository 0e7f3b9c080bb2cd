-- SPDX-License-Identifier: Apache-2.0
-- People and tablets of one box: a few dozen entries, each replaced whole.
CREATE TABLE entry (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
