"""Several processes of one run, as `accelerate launch` starts them: the first one decides, the others follow."""

from __future__ import annotations

import os


def agreed(value: str) -> str:
    """Return the first process's value, in every process."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return value
    import torch
    from accelerate import PartialState
    from accelerate.utils import broadcast_object_list

    PartialState(cpu=not torch.cuda.is_available())  # left to itself, it sees one process where there is no GPU
    shared = [value]
    broadcast_object_list(shared)
    return shared[0]
