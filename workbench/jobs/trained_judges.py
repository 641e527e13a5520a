"""Judges that were trained on labels: how they are opened, known by, and what they learnt from."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from workbench.adapters.encoder_judge import EncoderJudge
from workbench.calibration.trained import TrainedJudge
from workbench.config.workbench_yaml import TRAINED, Workbench
from workbench.errors import ModelError
from workbench.models import EncoderSpec, LocalSpec
from workbench.nouns import fingerprint
from workbench.store.weights import hash_model_folder

CARD = "judge.json"


def read_trained(folder: Path) -> TrainedJudge:
    """Return what lies beside a trained encoder. Raises `ModelError`."""
    try:
        return TrainedJudge.model_validate_json((folder / CARD).read_bytes())
    except (OSError, ValidationError) as exc:
        why = str(exc).splitlines()[0]
        raise ModelError(
            f"{folder} holds no trained judge ({why}); write one with workbench judge train encoder"
        ) from exc


def open_encoder(bench: Workbench, spec: EncoderSpec) -> EncoderJudge:
    """Open a trained encoder."""
    folder = bench.path(spec.folder)
    card = read_trained(folder)
    return EncoderJudge(folder, card.threshold, card.name)


def encoder_identity(bench: Workbench, spec: EncoderSpec) -> str:
    """Return the fingerprint of everything that can change what a trained encoder says."""
    folder = bench.path(spec.folder)
    weights = hash_model_folder(folder, bench.home.cache / "weights.json")
    return fingerprint([spec.kind, weights, read_trained(folder).threshold])


def learnt_families(bench: Workbench, judge: str) -> frozenset[str]:
    """Return the hashes of the families that a judge of workbench.yaml, or one of a panel, was trained on."""
    folders = [_folder(bench, name) for name in judge.split("+")]
    cards = [read_trained(folder) for folder in folders if folder is not None]
    return frozenset(family for card in cards for family in card.learnt)


def _folder(bench: Workbench, name: str) -> Path | None:
    """Return where a judge's card lies; `None` for a model that was not trained to judge."""
    spec = bench.model(name) if name.startswith(TRAINED) else bench.config.models.get(name)
    if isinstance(spec, EncoderSpec):
        return bench.path(spec.folder)
    if isinstance(spec, LocalSpec) and spec.adapter is not None:
        folder = bench.path(spec.adapter).parent
        return folder if (folder / CARD).is_file() else None
    return None
