"""Trains the reader that finds the answer in a passage, and writes the weights of `rag/models/weights`.

    .venv/bin/pip install torch safetensors
    .venv/bin/python -m benchmarks.train_reader [FOLDER] [--minutes 72] [--checkpoint FILE.safetensors]

From the root of the project; nothing else here needs these two packages. It learns on SQuAD
(`benchmarks/squad.py` says where that lies), and never on the titles that are held out there.

The model is the packaged sentence encoder, all-MiniLM-L6-v2, with two heads: where an answer starts and
ends (Devlin et al., "BERT", 2019, sections 4.2 and 4.3), and whether the passage answers at all. Spans compete
over all passages of a question (Clark and Gardner, "Simple and Effective Multi-Paragraph Reading
Comprehension", 2018): the one asked about, and one that BM25 confuses it with. See `reader_training/`.

AdamW in bfloat16, the learning rate falling with the time that is left. So the seed fixes what is seen in
which order, but a faster machine sees more of it, and weights differ from run to run.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from torch import nn

from benchmarks import squad
from benchmarks.reader_training.data import RawSource
from benchmarks.reader_training.examples import Sampler
from benchmarks.reader_training.export import export
from benchmarks.reader_training.loss import collate, loss
from benchmarks.reader_training.model import ReaderModel
from rag.models.bert import TOKENIZER, read_folder, read_weights
from rag.models.local_encoder import default_weights
from rag.models.reader import PACKAGED

SEED = 7
PEAK = 1.5e-4  # learning rate
LOWEST = 0.02  # of the peak
WARM_UP = 60  # steps
DECAY = 0.01
LARGEST_GRADIENT = 1.0  # norm
SAY_EVERY, KEEP_EVERY = 50, 250  # steps


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=PACKAGED, help="where the reader is written")
    parser.add_argument("--minutes", type=float, default=72)
    parser.add_argument("--checkpoint", type=Path, help=f"the float32 weights, every {KEEP_EVERY} steps and at the end")
    options = parser.parse_args()
    if not squad.present():
        sys.exit(f"train_reader: {squad.FOLDER} holds no SQuAD: the data stand beside the project")
    if options.minutes <= 0:
        parser.error("--minutes must be more than 0")
    try:  # now, not when an hour's work is to be written
        options.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sys.exit(f"train_reader: {options.folder} cannot be written ({error.strerror}): name another folder")
    torch.manual_seed(SEED)
    encoder = read_folder(default_weights())
    model = ReaderModel(encoder, read_weights(encoder))
    tokenizer = Tokenizer.from_file(str(encoder.path / TOKENIZER))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    material = RawSource()
    answered = sum(bool(example.answers) for example in material.examples)
    print(f"{len(material.examples)} questions, {answered} answered; held out: {', '.join(sorted(squad.held_out()))}")
    fit(model, Sampler(material, tokenizer, SEED), options.minutes * 60, options.checkpoint)
    written = export(encoder, model.bert_weights(), options.folder)
    print(f"{written}: {written.stat().st_size / 1e6:.1f} MB")


def fit(model: ReaderModel, sampler: Sampler, seconds: float, checkpoint: Path | None) -> None:
    """Learn until the time is up, over as many epochs as that takes."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(
        [
            {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": DECAY},
            {"params": [parameter for parameter in trained if parameter.ndim < 2], "weight_decay": 0.0},
        ],
        lr=PEAK,
    )
    model.train()
    begun, smooth = time.monotonic(), 0.0
    batches = ((epoch, groups) for epoch in range(1, sys.maxsize) for groups in sampler.epoch())
    for step, (epoch, groups) in enumerate(batches):
        spent = (time.monotonic() - begun) / seconds
        if spent >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = PEAK * min(1, step / WARM_UP) * max(LOWEST, 1 - spent)
        current = loss(model, collate(groups))
        optimiser.zero_grad()
        current.backward()
        nn.utils.clip_grad_norm_(trained, LARGEST_GRADIENT)
        optimiser.step()
        smooth = 0.98 * smooth + 0.02 * current.item() if step else current.item()
        if (step + 1) % SAY_EVERY == 0:
            print(f"epoch {epoch}, step {step + 1}, {spent:.0%} of the time: loss {smooth:.3f}", flush=True)
        if checkpoint and (step + 1) % KEEP_EVERY == 0:
            save_file(model.bert_weights(), checkpoint)
    print(f"{step} steps in {epoch} epochs", flush=True)
    if checkpoint:
        save_file(model.bert_weights(), checkpoint)


if __name__ == "__main__":
    main()
