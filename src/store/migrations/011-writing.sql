-- What is being typed, kept for each model: a whole draft as JSON, so that it can say more later. The one with the
-- highest `at`, a running number, was the last in the editor.
CREATE TABLE drafts (
    model TEXT NOT NULL PRIMARY KEY,
    draft TEXT NOT NULL,
    at    INTEGER NOT NULL
) STRICT;
CREATE INDEX drafts_by_age ON drafts (at);
INSERT INTO drafts (model, draft, at)
    SELECT model, json_object('model', model, 'prompt', prompt,
        'fields', json(CASE WHEN json_valid(fields) THEN fields ELSE '{}' END)), 1
    FROM draft;
DROP TABLE draft;

-- Pieces of text that the user gave a name.
CREATE TABLE snippets (
    name TEXT NOT NULL PRIMARY KEY,
    text TEXT NOT NULL,
    at   INTEGER NOT NULL
) STRICT;
