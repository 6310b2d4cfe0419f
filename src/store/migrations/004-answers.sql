-- What the holder of the lease found in the account's list for windows that only watch; the newest few.
CREATE TABLE answers (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,
    answer TEXT NOT NULL                  -- JSON
);
