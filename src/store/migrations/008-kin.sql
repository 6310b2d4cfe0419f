-- Which task a task came from, and how; written with it, never changed. What the user has starred.
ALTER TABLE tasks ADD COLUMN parent TEXT;
ALTER TABLE tasks ADD COLUMN how TEXT;                          -- a word: again, vary, fix, …
ALTER TABLE tasks ADD COLUMN starred INTEGER NOT NULL DEFAULT 0;
CREATE INDEX tasks_by_parent ON tasks (parent) WHERE parent IS NOT NULL;
