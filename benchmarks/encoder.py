"""Speed and memory of the bare local encoder.

    python benchmarks/encoder.py DUMP.jsonl[.gz] [--passages 400] [--precision int8]

Cuts the dump's texts into passages of about 200 tokens (155 words) and prints one JSON object: passages
per second (best of three), milliseconds for a question (median of 200), seconds to build and to load,
and the peak of the process's resident memory in megabytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from rag.models.local_encoder import LocalEncoder, default_weights

QUESTION = "what did Iran demand in Muscat?"
WORDS = 155


def passages(dump: Path) -> Iterator[str]:
    opener = gzip.open if dump.suffix == ".gz" else open
    with opener(dump, "rt", encoding="utf-8") as lines:
        for line in lines:
            words = json.loads(line)["text"].split()
            for start in range(0, len(words) - WORDS, WORDS):
                yield " ".join(words[start : start + WORDS])


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dump", type=Path)
    parser.add_argument("--passages", type=int, default=400)
    parser.add_argument("--precision", choices=("int8", "fp32"), default="int8")
    options = parser.parse_args()
    texts = list(islice(passages(options.dump), options.passages))
    with tempfile.TemporaryDirectory() as folder:
        cache = Path(folder)
        build = seconds(lambda: LocalEncoder(default_weights(), cache, precision=options.precision))
        load = seconds(lambda: LocalEncoder(default_weights(), cache, precision=options.precision))
        encoder = LocalEncoder(default_weights(), cache, precision=options.precision)
        fastest = min(seconds(lambda: encoder.encode(texts)) for _ in range(3))
        question = statistics.median(seconds(lambda: encoder.encode([QUESTION])) for _ in range(200))
    figures = {
        "encoder": encoder.name,
        "passages": len(texts),
        "passages_per_second": round(len(texts) / fastest, 1),
        "question_ms": round(question * 1000, 2),
        "build_seconds": round(build, 2),
        "load_seconds": round(load, 3),
        "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
