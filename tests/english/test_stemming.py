from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from rag.english.words import stem


def test_several_threads_stem_at_once() -> None:
    words = [
        f"{root}{number}{ending}"
        for root in ("nation", "relat")
        for number in range(150)
        for ending in ("ing", "ously")
    ]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(6) as threads:
            # Words of each thread's own: what was stemmed before is remembered.
            found = list(threads.map(lambda mark: [stem(mark + word) for word in words], "abcdef"))
    finally:
        sys.setswitchinterval(before)
    assert {stems[0][1:] for stems in found} == {found[0][0][1:]}
