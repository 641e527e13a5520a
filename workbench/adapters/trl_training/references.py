"""DPO's reference: how likely the answers are before training, computed once and kept for other runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.store.files import replacing, told_when_full
from workbench.training.rows import Prepared

COLUMNS = ("ref_chosen_logps", "ref_rejected_logps")


def with_references(trainer: Any, dataset: Any, prepared: Prepared, kept: Path, batch: int) -> Any:
    """Return the table with the reference's log-probabilities, from `kept` where they lie there already."""
    found = _read(kept, len(dataset))
    if found is None:
        found = _computed(trainer, dataset, prepared, batch)
        if trainer.is_world_process_zero():
            _write(kept, found)
    for name in COLUMNS:
        dataset = dataset.add_column(name, found[name])
    return dataset


def _computed(trainer: Any, dataset: Any, prepared: Prepared, batch: int) -> dict[str, list[float]]:
    """Return them, rows of like length together; every process computes them all, which needs no agreement."""
    order = sorted(range(len(dataset)), key=prepared.lengths().__getitem__, reverse=True)
    found = {name: [0.0] * len(dataset) for name in COLUMNS}
    model = trainer.ref_model or trainer.model
    training = model.training
    model.eval()
    model.to(trainer.accelerator.device)
    for at in range(0, len(order), batch):
        places = order[at : at + batch]
        inputs = trainer._prepare_inputs(trainer.data_collator([dataset[place] for place in places]))
        for name, values in zip(COLUMNS, trainer.compute_ref_log_probs(model, inputs), strict=True):
            for place, value in zip(places, values.tolist(), strict=True):
                found[name][place] = value
    model.train(training)
    return found


def _read(path: Path, n: int) -> dict[str, list[float]] | None:
    """Return what was kept; a damaged file is as good as none, for the values can be computed again."""
    if not path.is_file():
        return None
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = {name: values.tolist() for name, values in load_file(path).items()}
    except SafetensorError:
        return None
    return found if set(found) == set(COLUMNS) and all(len(v) == n for v in found.values()) else None


def _write(path: Path, found: dict[str, list[float]]) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    with told_when_full(path), replacing(path) as new:
        save_file({name: np.asarray(values, np.float32) for name, values in found.items()}, new)
