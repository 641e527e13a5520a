"""Only positions that are learnt pass through the output head, on a CPU as on a GPU.

TRL 1.16 scores all positions where there is no Triton, because on devices that compile (Neuron) a shape that changes
with every batch would compile anew (`trl/trainer/utils.py`, `_fused_forward`). A CPU compiles nothing: scoring the
learnt positions alone gives the same numbers with a fraction of the work. Its buffers are 32,768 words wide whatever
the vocabulary is; they are narrowed to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def only_learnt_positions(device: str, vocabulary: int) -> Iterator[None]:
    """Have TRL score learnt positions only for as long as the block runs; on a GPU it does so by itself."""
    if device != "cpu":
        yield
        return
    from trl.trainer import utils

    compact, width = utils._use_triton, utils._CHUNKED_LOGPROB_CHUNK_SIZE
    utils._use_triton = lambda device: True
    utils._CHUNKED_LOGPROB_CHUNK_SIZE = min(width, vocabulary)
    try:
        yield
    finally:
        utils._use_triton, utils._CHUNKED_LOGPROB_CHUNK_SIZE = compact, width
