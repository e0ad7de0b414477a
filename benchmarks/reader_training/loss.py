"""What a batch should score: the answer's tokens over all passages of a question, [CLS] where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.reader_training.examples import Group
from benchmarks.reader_training.model import ReaderModel

_NEVER = torch.tensor(-1e9)


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs of several questions, padded. [pairs, tokens] but for `answers` [pairs] and `questions`
    [questions, pairs of the largest group], the numbers of a question's pairs, filled up with -1."""

    ids: Tensor
    segments: Tensor
    mask: Tensor
    allowed: Tensor  # where an answer may start and end: in the passage, or at [CLS] for none
    starts: Tensor
    ends: Tensor
    answers: Tensor
    questions: Tensor


def collate(groups: Sequence[Group]) -> Batch:
    pairs = [pair for group in groups for pair in group]
    shape = (len(pairs), max(len(pair.ids) for pair in pairs))
    ids, segments = torch.zeros(shape, dtype=torch.long), torch.zeros(shape, dtype=torch.long)
    mask, allowed, starts, ends = (torch.zeros(shape, dtype=torch.bool) for _ in range(4))
    for row, pair in enumerate(pairs):
        length = len(pair.ids)
        ids[row, :length] = torch.tensor(pair.ids)
        segments[row, pair.second : length] = 1
        mask[row, :length] = True
        allowed[row, pair.body : length - 1] = True
        allowed[row, 0] = True
        starts[row, pair.starts] = True
        ends[row, pair.ends] = True
    answers = starts.any(1).float()
    questions = torch.full((len(groups), max(map(len, groups))), -1)
    row = 0
    for number, group in enumerate(groups):
        rows = torch.arange(row, row + len(group))
        questions[number, : len(group)] = rows
        if not any(pair.starts for pair in group):
            starts[rows, 0] = ends[rows, 0] = True
        row += len(group)
    return Batch(ids, segments, mask, allowed, starts, ends, answers, questions)


def loss(model: ReaderModel, batch: Batch) -> Tensor:
    """Cross entropy of the start and of the end, each a distribution over all passages of a question (Clark and
    Gardner, 2018; several right tokens count together), the null answer at [CLS] (Devlin et al., 2019), plus
    binary cross entropy of "this passage answers"."""
    with torch.autocast("cpu", dtype=torch.bfloat16):
        spans, answers = model(batch.ids, batch.segments, batch.mask)
    spans, answers = spans.float(), answers.float()
    total = functional.binary_cross_entropy_with_logits(answers, batch.answers)
    for scores, right in ((spans[..., 0], batch.starts), (spans[..., 1], batch.ends)):
        everywhere = _by_question(torch.where(batch.allowed, scores, _NEVER), batch.questions)
        there = _by_question(torch.where(right, scores, _NEVER), batch.questions)
        total = total + (everywhere.logsumexp(1) - there.logsumexp(1)).mean()
    return total


def _by_question(scores: Tensor, questions: Tensor) -> Tensor:
    """[questions, tokens of all their pairs]"""
    rows = torch.where((questions < 0)[..., None], _NEVER, scores[questions.clamp(min=0)])
    return rows.reshape(len(questions), -1)
