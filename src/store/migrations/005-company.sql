-- With which API key the holder talks to the service: a name made from the key and the salt, from which the key cannot
-- be told. And from which change on the holder holds the lease.
ALTER TABLE lease ADD COLUMN account TEXT;
ALTER TABLE lease ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
-- Whose wish it is: nobody grants it with another key.
ALTER TABLE wishes ADD COLUMN account TEXT;
-- With which key a task was sent: with another one its idempotency key means nothing.
ALTER TABLE tasks ADD COLUMN account TEXT;

CREATE TABLE salt (
    one   INTEGER PRIMARY KEY CHECK (one = 1),
    bytes BLOB NOT NULL
);
INSERT INTO salt (one, bytes) VALUES (1, randomblob(16));
