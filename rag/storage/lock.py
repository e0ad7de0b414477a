"""One process holds a library: a file lock, and a note beside it that says who holds it and where it answers."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import LibraryError, LibraryHeld


@dataclass(frozen=True, slots=True)
class LockOwner:
    """The process that holds a library; `address` is where it answers over HTTP, if it does."""

    pid: int
    address: str | None = None


class LibraryLock:
    """The claim of this process on a library folder, from `take` until `release`."""

    def __init__(self, home: Path) -> None:
        self._lock = FileLock(home / "lock")
        self._note = home / "holder.json"

    def take(self) -> bool:
        """Take the library if it is free. Raises LibraryError if the folder cannot be written."""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            return False
        except OSError as error:
            raise LibraryError(
                f"the library folder cannot be locked ({error})",
                "check its permissions, or set RAG_HOME to another folder",
            ) from error
        self.announce(None)
        return True

    def announce(self, address: str | None) -> None:
        """Leave the address at which this process answers for other commands."""
        fresh = self._note.with_suffix(".new")
        fresh.write_text(json.dumps({"pid": os.getpid(), "address": address}))
        fresh.replace(self._note)

    def holder(self) -> LockOwner | None:
        """Who left the note; it is only meaningful while the lock is taken."""
        try:
            note = json.loads(self._note.read_text())
            return LockOwner(int(note["pid"]), note["address"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def held_by(self) -> LibraryHeld:
        holder = self.holder()
        who = f"process {holder.pid}" if holder else "another process"
        if holder and holder.address:
            return LibraryHeld(f"the library is served already by {who} at {holder.address}", "use that, or stop it")
        return LibraryHeld(f"the library is in use by {who}", "wait until it has finished, or stop it")

    def release(self) -> None:
        if self._lock.is_locked:
            self._note.unlink(missing_ok=True)
            self._lock.release()
