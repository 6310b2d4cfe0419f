-- Marks the file as ours ("PLNT"), so that another program's database is not taken for an empty one.
PRAGMA application_id = 0x504c4e54;

CREATE TABLE tasks (
    id        TEXT PRIMARY KEY NOT NULL,  -- also the Idempotency-Key
    task_id   TEXT UNIQUE,                -- the service's name, once accepted
    model     TEXT NOT NULL,
    route     TEXT,
    body      TEXT NOT NULL,              -- what is sent, byte for byte
    template  TEXT NOT NULL,
    prompt    TEXT NOT NULL,
    stage     TEXT NOT NULL,              -- the word of the status, for counting and finding
    status    TEXT NOT NULL,              -- JSON, with its data
    times     TEXT NOT NULL,              -- JSON: when each stage was first seen
    created   INTEGER NOT NULL,           -- milliseconds since 1970
    completed INTEGER                     -- milliseconds since 1970, by the service
);
CREATE INDEX tasks_by_age ON tasks (created, id);
CREATE INDEX tasks_by_stage ON tasks (stage);

CREATE TABLE outputs (
    task    TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    idx     INTEGER NOT NULL,
    url     TEXT NOT NULL,
    role    TEXT NOT NULL,
    expires INTEGER,                      -- milliseconds since 1970
    place   TEXT NOT NULL CHECK (place IN ('away', 'home', 'lost')),
    why     TEXT,                         -- of lost ones
    file    TEXT,                         -- of those at home, like all that follows
    bytes   INTEGER,
    sha256  TEXT,
    format  TEXT,
    width   INTEGER,
    height  INTEGER,
    PRIMARY KEY (task, idx)
) WITHOUT ROWID;
CREATE INDEX outputs_away ON outputs (task) WHERE place = 'away';

CREATE TABLE draft (
    one    INTEGER PRIMARY KEY CHECK (one = 1),
    model  TEXT NOT NULL,
    prompt TEXT NOT NULL,
    fields TEXT NOT NULL                  -- JSON
);
