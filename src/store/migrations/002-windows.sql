-- Which tasks changed, in order, so that other windows read only those. A task that is gone stays named here.
CREATE TABLE changes (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    task TEXT NOT NULL UNIQUE
);
CREATE TRIGGER tasks_made AFTER INSERT ON tasks BEGIN
    DELETE FROM changes WHERE task = new.id;
    INSERT INTO changes (task) VALUES (new.id);
END;
CREATE TRIGGER tasks_changed AFTER UPDATE ON tasks BEGIN
    DELETE FROM changes WHERE task = new.id;
    INSERT INTO changes (task) VALUES (new.id);
END;
CREATE TRIGGER tasks_gone AFTER DELETE ON tasks BEGIN
    DELETE FROM changes WHERE task = old.id;
    INSERT INTO changes (task) VALUES (old.id);
    DELETE FROM wishes WHERE task = old.id;
END;
CREATE TRIGGER outputs_made AFTER INSERT ON outputs BEGIN
    DELETE FROM changes WHERE task = new.task;
    INSERT INTO changes (task) VALUES (new.task);
END;
CREATE TRIGGER outputs_changed AFTER UPDATE ON outputs BEGIN
    DELETE FROM changes WHERE task = new.task;
    INSERT INTO changes (task) VALUES (new.task);
END;

-- Who holds the lease, for showing, and as the fence before each sending. The lease itself is a lock on a file.
CREATE TABLE lease (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    window  TEXT NOT NULL,
    pid     INTEGER NOT NULL,
    host    TEXT NOT NULL,
    service TEXT NOT NULL,
    paused  TEXT                          -- JSON: why nothing is sent, if so
);

-- What windows that only watch want of the holder.
CREATE TABLE wishes (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    window  TEXT NOT NULL,                -- whose user gave the word
    service TEXT NOT NULL,
    task    TEXT,
    send    INTEGER NOT NULL,             -- kept until the task is beyond doubt: it outlives a holder
    wish    TEXT NOT NULL,                -- JSON
    taken   INTEGER NOT NULL DEFAULT 0    -- the present holder has it
);
CREATE INDEX wishes_by_task ON wishes (task);
CREATE TRIGGER wishes_done AFTER UPDATE OF stage ON tasks WHEN new.stage NOT IN ('saved', 'sending', 'unsure') BEGIN
    DELETE FROM wishes WHERE task = new.id AND send = 1;
END;
