-- What was sent together, by name: since when, and whether it rests. Every window reads and writes this.
CREATE TABLE batches (
    name    TEXT PRIMARY KEY NOT NULL,
    created INTEGER NOT NULL,             -- milliseconds since 1970: its first task
    paused  INTEGER NOT NULL DEFAULT 0    -- nothing of it is sent until somebody says so
);
INSERT INTO batches (name, created) SELECT batch, min(created) FROM tasks WHERE batch IS NOT NULL GROUP BY batch;
CREATE TRIGGER batches_made AFTER INSERT ON tasks WHEN new.batch IS NOT NULL BEGIN
    INSERT INTO batches (name, created) SELECT new.batch, new.created
        WHERE NOT EXISTS (SELECT 1 FROM batches WHERE name = new.batch);
END;
CREATE INDEX tasks_of_batch ON tasks (batch, stage) WHERE batch IS NOT NULL;
CREATE INDEX batches_by_age ON batches (created, name);
CREATE INDEX batches_paused ON batches (name) WHERE paused = 1;
