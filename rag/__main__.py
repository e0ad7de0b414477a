"""The entry of `rag` and `python -m rag`: nothing but the import of the command line, which takes a second."""

import os
import signal
import sys
from types import FrameType


def main() -> None:
    """Run the command line and exit. Ctrl-C ends the program in one line from the start."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # in the background of a script Ctrl-C is ignored, and stays so
        # Not by an exception: raised inside a package's import, it may be caught or wrapped there.
        signal.signal(signal.SIGINT, _leave)
    # Imported here: at the top, nothing would be ready for Ctrl-C yet.
    from rag.cli import commands as cli

    signal.signal(signal.SIGINT, before)
    cli.main()


def _leave(number: int, frame: FrameType | None) -> None:
    sys.stderr.write("rag: interrupted\n")
    sys.stderr.flush()
    os._exit(130)  # nothing has begun that would have to be ended


if __name__ == "__main__":
    main()
