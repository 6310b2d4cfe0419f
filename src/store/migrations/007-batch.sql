-- What was sent together, and what its rows say, as digests: a batch sends each of its rows once, also when two programs
-- read the same file at the same time. Without `row` a batch is only a name.
ALTER TABLE tasks ADD COLUMN batch TEXT;
ALTER TABLE tasks ADD COLUMN row TEXT;
ALTER TABLE tasks ADD COLUMN seed INTEGER;    -- the prompt was drawn with it; the 64 bits as a signed number
CREATE UNIQUE INDEX tasks_by_batch ON tasks (batch, row) WHERE batch IS NOT NULL;
