-- How long tasks take, learned: one row for each kind of task, replaced as more is learned.
CREATE TABLE learned (
    about  TEXT PRIMARY KEY,              -- the model, and the values of the fields that decide
    lesson TEXT NOT NULL                  -- JSON; what cannot be read is learned anew
) WITHOUT ROWID;
