-- Notes of earlier versions are indexed when the indexer first sees them.
ALTER TABLE notes ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;

CREATE TABLE words (
    word TEXT NOT NULL,
    note_id INTEGER NOT NULL REFERENCES notes (id) ON DELETE CASCADE,
    count INTEGER NOT NULL,
    PRIMARY KEY (word, note_id)
) WITHOUT ROWID;

CREATE INDEX words_of_note ON words (note_id);
CREATE INDEX notes_to_index ON notes (id) WHERE NOT indexed;
