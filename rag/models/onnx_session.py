"""ONNX Runtime: graphs as sessions that run on one thread each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from rag.errors import EncoderError

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

# ONNX Runtime reads it when it is imported, here first of all: its Linux builds collect telemetry otherwise, and
# keep a device id and a file of events below the home folder.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"


def cores() -> int:
    """Cores this process may use, where the system tells them apart from the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def load_session(graph: bytes, origin: Path) -> InferenceSession:
    """A session of a serialised graph; `origin` is what an error names. Raises EncoderError."""
    # Imported here: commands that run no model start without it.
    import onnxruntime
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    refusals = (state.Fail, state.InvalidArgument, state.InvalidGraph, state.InvalidProtobuf, state.RuntimeException)

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    # Our graphs are written in fused operators already; more fusing would undo `_Graph.normalise`.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except refusals as error:
        raise EncoderError(f"ONNX Runtime refuses the model in {origin} ({error})") from error
