-- What a task may cost, in millionths of a US dollar, as was known when it was made; NULL: nobody knew.
ALTER TABLE tasks ADD COLUMN cost INTEGER;
ALTER TABLE tasks ADD COLUMN cost_most INTEGER NOT NULL DEFAULT 0;  -- it is the dearest that can be meant
ALTER TABLE tasks ADD COLUMN priced TEXT;                           -- the date of the list of prices
-- When that was taken out of the budget, in milliseconds since 1970. NULL before the sending, and again when the service
-- said that it did not take the task.
ALTER TABLE tasks ADD COLUMN spent INTEGER;
CREATE INDEX tasks_by_spent ON tasks (spent, cost) WHERE spent IS NOT NULL;
-- What the holder of the lease may spend, as JSON, for windows whose user wants another limit.
ALTER TABLE lease ADD COLUMN budget TEXT;
