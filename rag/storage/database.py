"""The SQLite file: its schema, its connections, its transactions, and its failures in plain words."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, LifoQueue

from rag.errors import DiskFull, InvalidRequest, LibraryDamaged, LibraryError, LibraryTooNew

SCHEMA_VERSION = 5

_LEXICAL_INDEX = """
CREATE VIRTUAL TABLE passages_fts USING fts5 (
    title, text, content = 'passages', content_rowid = 'rowid',
    tokenize = "porter unicode61 remove_diacritics 2"
);
"""

_SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE articles (
    id TEXT PRIMARY KEY,
    version INTEGER NOT NULL,
    digest TEXT NOT NULL, -- empty once the article is merged into the one that an alias names
    added_at TEXT NOT NULL
);
CREATE INDEX articles_digest ON articles (digest);

CREATE TABLE versions (
    article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    source TEXT,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    publisher TEXT,
    authors TEXT NOT NULL,
    published TEXT,
    published_from TEXT,
    url TEXT,
    day INTEGER,
    publisher_key TEXT,
    stored_at TEXT NOT NULL,
    PRIMARY KEY (article_id, version)
);

CREATE TABLE addresses (
    source TEXT PRIMARY KEY,
    article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX addresses_article ON addresses (article_id);

CREATE TABLE aliases (
    id TEXT PRIMARY KEY,
    article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE
) WITHOUT ROWID;
CREATE INDEX aliases_article ON aliases (article_id);

CREATE TABLE readings (
    fingerprint TEXT PRIMARY KEY,
    article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    source TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX readings_article ON readings (article_id);

CREATE TABLE passages (
    rowid INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    article_id TEXT NOT NULL REFERENCES articles (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,
    ordinal INTEGER NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    input_hash TEXT NOT NULL
);
CREATE INDEX passages_article ON passages (article_id);
CREATE INDEX passages_input ON passages (input_hash);

CREATE TRIGGER passages_added AFTER INSERT ON passages BEGIN
    INSERT INTO passages_fts (rowid, title, text) VALUES (new.rowid, new.title, new.text);
END;
CREATE TRIGGER passages_removed AFTER DELETE ON passages BEGIN
    INSERT INTO passages_fts (passages_fts, rowid, title, text) VALUES ('delete', old.rowid, old.title, old.text);
END;

CREATE TABLE vectors (
    model TEXT NOT NULL,
    input_hash TEXT NOT NULL,
    vector BLOB NOT NULL,
    PRIMARY KEY (model, input_hash)
);
"""


# What filters need, without reading the rows, most of which are text. Format 2.
_FILTER_INDEXES = """
CREATE INDEX IF NOT EXISTS versions_day ON versions (day, article_id, version);
CREATE INDEX IF NOT EXISTS versions_publisher ON versions (publisher_key, day, article_id, version);
CREATE INDEX IF NOT EXISTS passages_version ON passages (article_id, version);
DROP INDEX IF EXISTS passages_article;
"""

# What readers asked and thought. Answers stay when an article goes: they hold the words that they quoted. Format 3.
_READERS = """
CREATE TABLE conversations (
    id TEXT NOT NULL UNIQUE,
    owner_hash TEXT NOT NULL, -- of the secret in the owner's cookie
    title TEXT NOT NULL,
    filters TEXT NOT NULL, -- JSON
    shared INTEGER NOT NULL,
    created TEXT NOT NULL,
    updated TEXT NOT NULL
);
CREATE INDEX conversations_owner ON conversations (owner_hash, updated);

CREATE TABLE exchanges (
    conversation TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    question TEXT NOT NULL,
    answer TEXT, -- JSON
    problem TEXT,
    PRIMARY KEY (conversation, key)
);

CREATE TABLE feedback (
    id TEXT NOT NULL UNIQUE,
    owner_hash TEXT NOT NULL,
    answer_id TEXT NOT NULL,
    given TEXT NOT NULL,
    record TEXT NOT NULL, -- JSON
    UNIQUE (owner_hash, answer_id)
);
"""

# What Slack delivered, so that nothing is answered twice, and what holds in its channels. Format 4.
_DELIVERIES = """
CREATE TABLE deliveries (
    event TEXT PRIMARY KEY,
    claimed TEXT NOT NULL,
    channel TEXT, -- with `asked`, the message that holds the question; NULL for a slash command
    asked TEXT,
    thread TEXT,
    shown TEXT, -- the message that holds the answer
    reader TEXT, -- the one user who may see the answer; NULL where all may
    response_url TEXT, -- until the answer is there
    done INTEGER NOT NULL,
    UNIQUE (channel, asked)
) WITHOUT ROWID;
CREATE INDEX deliveries_claimed ON deliveries (claimed);

CREATE TABLE channels (
    team TEXT NOT NULL,
    channel TEXT NOT NULL, -- empty for all others of the team
    settings TEXT NOT NULL, -- JSON
    PRIMARY KEY (team, channel)
) WITHOUT ROWID;
"""

# A conversation can be narrowed otherwise while it goes on; which message an edit in Slack changed. Format 5.
_NARROWED = """
ALTER TABLE exchanges ADD COLUMN filters TEXT NOT NULL DEFAULT '{}'; -- JSON
UPDATE exchanges SET filters = (SELECT filters FROM conversations WHERE id = conversation);
ALTER TABLE deliveries ADD COLUMN edits TEXT;
"""

# What leads from the format before to each; an empty file starts at the first.
_STEPS = {1: _SCHEMA + _LEXICAL_INDEX, 2: _FILTER_INDEXES, 3: _READERS, 4: _DELIVERIES, 5: _NARROWED}


@contextmanager
def _plain_failures(path: Path) -> Iterator[None]:
    """Turn SQLite's failures into the engine's own, in words that say what to do."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidRequest("the text holds half a character, which no file can store", "send it as UTF-8") from error
    except sqlite3.DatabaseError as error:
        said = str(error)
        if "full" in said or "disk I/O error" in said:
            raise DiskFull(
                f"the library {path} could not be written ({said})",
                "free some space and run the same command again; what was reported as done is kept",
            ) from error
        if "malformed" in said or "not a database" in said:
            raise LibraryDamaged(
                f"{path} is not a readable library ({said})",
                "restore it from a backup, or move it away and ingest again",
            ) from error
        if isinstance(error, sqlite3.ProgrammingError) and "closed" in said:
            raise LibraryError("the library is being closed", "try again when the server is back") from error
        if isinstance(error, sqlite3.OperationalError):
            raise LibraryError(
                f"the library {path} cannot be used ({said})", "check the folder's permissions"
            ) from error
        raise


class Database:
    """One SQLite file in WAL mode: as many readers as are at work at once, one guarded writer.

    Raises LibraryTooNew for a file of a newer version, LibraryDamaged for one that SQLite cannot read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        self._writing = threading.Lock()
        with _plain_failures(path):
            self._writer = self._connect()
            self._migrate()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL makes a commit survive a power cut, not only a killed process.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _migrate(self) -> None:
        found = self._writer.execute("PRAGMA user_version").fetchone()[0]
        if found > SCHEMA_VERSION:
            raise LibraryTooNew(
                f"{self.path} was written by a newer version (format {found}, this one knows {SCHEMA_VERSION})",
                "upgrade Dateline, or set RAG_HOME to another folder",
            )
        if found < SCHEMA_VERSION:
            steps = "".join(_STEPS[version] for version in range(found + 1, SCHEMA_VERSION + 1))
            self._writer.executescript(f"BEGIN;{steps}PRAGMA user_version = {SCHEMA_VERSION};COMMIT;")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees committed data only."""
        with _plain_failures(self.path):
            try:
                connection = self._idle.get_nowait()
            except Empty:
                connection = self._connect()
            # One snapshot for the whole block: another thread may write between two of its statements.
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")
                self._idle.put(connection)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: commits when the block ends, rolls back when it raises. One at a time."""
        with self._writing, _plain_failures(self.path):
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                # SQLite has already rolled back by itself after some failures, such as a full disk.
                if self._writer.in_transaction:
                    self._writer.execute("ROLLBACK")
                raise

    def rebuild_lexical(self) -> None:
        """Make the full-text index anew out of the passages."""
        with self.writing() as connection:
            connection.execute("DROP TABLE IF EXISTS passages_fts")
            connection.execute(_LEXICAL_INDEX)
            connection.execute("INSERT INTO passages_fts (passages_fts) VALUES ('rebuild')")

    def close(self) -> None:
        """Close every connection that is not at work; a transaction under way is waited for."""
        with self._writing:
            self._writer.close()
        while not self._idle.empty():
            self._idle.get_nowait().close()
