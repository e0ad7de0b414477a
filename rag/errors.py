"""What can go wrong.

    RagError
    ├── InvalidRequest            the caller can mend it: a wrong date, an empty question
    │   ├── UnknownArticle        no article with this id
    │   └── UnknownConversation   none with this id that the caller may see
    ├── SourceError               one source cannot be taken in; the others go on
    │   ├── SourceNotFound        no such file, folder or address
    │   ├── SourceUnreadable      it is there, but not text that can be read
    │   ├── NoArticle             it can be read, but holds no article
    │   ├── SourceTooLarge        above RAG_MAX_ARTICLE_MB
    │   └── FetchFailed           a web address that failed or is refused
    ├── LibraryError              the library cannot be used
    │   ├── LibraryHeld           another process holds it
    │   ├── LibraryTooNew         written by a newer version
    │   ├── LibraryDamaged        SQLite cannot read it
    │   ├── DiskFull              no room to write
    │   └── EncoderMismatch       its vectors come from another encoder
    ├── EncoderError              texts cannot be turned into vectors
    │   └── WeightsMissing        the local encoder's files are not there
    ├── TooBusy                   others are answered first, for too long
    ├── LanguageModelError               the language model failed; quotes are served instead
    ├── ServerError               a running server refused or broke off
    └── NotBuilt                  in the contract, not in this version

Every error says what went wrong and what to do about it, in one line.
"""

from __future__ import annotations


class RagError(Exception):
    """`message` says what went wrong, `remedy` what to do; `code` is stable and machine readable."""

    code = "error"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = " ".join(message.split())
        self.remedy = " ".join(remedy.split())

    def __str__(self) -> str:
        return f"{self.message}: {self.remedy}" if self.remedy else self.message


class InvalidRequest(RagError):
    code = "invalid_request"


class UnknownArticle(InvalidRequest):
    code = "unknown_article"

    def __init__(self, article_id: str) -> None:
        super().__init__(f"no article has the id {article_id!r}", "`rag articles` lists them")


class UnknownConversation(InvalidRequest):
    code = "unknown_conversation"

    def __init__(self) -> None:
        # One sentence for what was never there, what is gone and what is somebody else's.
        super().__init__("there is no such conversation", "it may have been deleted, or not been shared")


class SourceError(RagError):
    code = "unusable_source"


class SourceNotFound(SourceError):
    code = "source_not_found"


class SourceUnreadable(SourceError):
    code = "source_unreadable"


class NoArticle(SourceError):
    code = "no_article"


class SourceTooLarge(SourceError):
    code = "source_too_large"


class FetchFailed(SourceError):
    code = "fetch_failed"


class LibraryError(RagError):
    code = "library_error"


class LibraryHeld(LibraryError):
    code = "library_held"


class LibraryTooNew(LibraryError):
    code = "library_too_new"


class LibraryDamaged(LibraryError):
    code = "library_damaged"


class DiskFull(LibraryError):
    code = "disk_full"


class EncoderMismatch(LibraryError):
    code = "encoder_mismatch"


class EncoderError(RagError):
    code = "encoder_error"


class WeightsMissing(EncoderError):
    code = "weights_missing"


class TooBusy(RagError):
    code = "too_busy"

    def __init__(self) -> None:
        super().__init__("too many questions are asked at once", "ask again in a minute")


class LanguageModelError(RagError):
    """`reason` is what an answer's `degraded` says: `timeout`, `unreachable`, `bad_output`, ..."""

    code = "writer_error"

    def __init__(self, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.reason = reason


class ServerError(RagError):
    code = "server_error"


class NotBuilt(RagError):
    code = "not_built"
