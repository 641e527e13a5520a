"""Plan a training run before anything is loaded: parameters, memory, steps, time, energy, and what to change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.jobs.training_sources import Sources, open_sources
from workbench.nouns import Many, Noun
from workbench.training.batching import epoch_order
from workbench.training.cost import HARDWARE, Cost, Hardware, plan_cost
from workbench.training.memory import GB, Load, Memory, plan_memory, trainable
from workbench.training.shape import Shape, read_shape
from workbench.training.spec import PREFERENCES, Dpo, Full, Kto, Lora, TrainSpec


class TrainPlan(Noun):
    """What a training run would take."""

    name: str
    """The recipe's."""
    parameters: int
    """Of the base."""
    trainable: int
    """Trained of them, or beside them."""
    rows: int
    """Rows that are learnt from."""
    dropped: int
    """Rows left out because they are too long."""
    longest: int
    """Tokens of the longest row."""
    tokens: int
    """Tokens of all rows, once."""
    learnt: int
    """Of them learnt."""
    padded: int
    """Tokens of the whole run, padding and epochs counted."""
    steps: int
    """Optimizer steps."""
    memory: Memory
    """What it takes at the worst moment."""
    hardware: Hardware
    """What it is planned for."""
    fits: bool
    """Whether it does."""
    changes: Many[str] = ()
    """What to change where it does not, each with the peak it would lead to."""
    cost: Cost
    """Time, energy, CO2."""
    notes: Many[str] = ()
    """What is unusual."""


def plan_training(bench: Workbench, spec: TrainSpec, hardware: str, memory: float | None = None) -> TrainPlan:
    """Return what a recipe would take on a kind of hardware; `memory` is in GB. Loads no torch and no weights.

    Raises as training would, for what the recipe names.
    """
    on = hardware_of(hardware, memory)
    sources = open_sources(bench, spec, light=True)
    shape = read_shape(sources.base)
    rows = sources.rows.rows()
    load = _largest(spec, sources)
    needed = plan_memory(spec, shape, load, on.kind)
    padded = _padded(spec, sources)
    fits = needed.peak <= on.memory
    answers = 2 if spec.method.kind in PREFERENCES else 1
    length = padded / max(1, len(rows) * answers * max(spec.epochs, 1e-9))
    return TrainPlan(
        name=spec.name, parameters=shape.total(), trainable=trainable(spec, shape), rows=len(rows),
        dropped=len(sources.rows.dropped), longest=max(sources.rows.lengths()), tokens=_tokens(sources),
        learnt=sum(row.scored() for row in rows), padded=padded, steps=spec.steps(len(rows)), memory=needed,
        hardware=on, fits=fits, changes=() if fits else tuple(_changes(spec, shape, load, on)),
        cost=plan_cost(spec, shape, _passed(spec, padded), length, on), notes=sources.rows.notes,
    )  # fmt: skip


def hardware_of(name: str, memory: float | None) -> Hardware:
    """Return a kind of hardware by name, with other memory where given, in GB. Raises `ConfigError`."""
    if name not in HARDWARE:
        fix = f"known are {', '.join(HARDWARE)}"
        raise ConfigError(Problem("UNKNOWN_HARDWARE", "no hardware has this name", got=name, fix=fix))
    on = HARDWARE[name]
    return on if memory is None else on.model_copy(update={"memory": int(memory * GB)})


def _largest(spec: TrainSpec, sources: Sources) -> Load:
    """Return the batch that takes most: the longest rows together."""
    lengths = sorted(sources.rows.lengths(), reverse=True)[: spec.batch]
    scored = sorted((row.scored() for row in sources.rows.rows()), reverse=True)[: spec.batch]
    answers = 2 if spec.method.kind in PREFERENCES else 1
    return Load(rows=answers * len(lengths), length=lengths[0], scored=sum(scored))


def _padded(spec: TrainSpec, sources: Sources) -> int:
    """Return the tokens that pass through the model in the whole run, padding included."""
    lengths = sources.rows.lengths()
    order = epoch_order(lengths, spec.rows_a_step(), spec.seed, 0, spec.batching == "by_length")
    batches = (order[at : at + spec.batch] for at in range(0, len(order), spec.batch))
    answers = 2 if spec.method.kind in PREFERENCES else 1
    once = answers * sum(len(batch) * max(lengths[place] for place in batch) for batch in batches)
    share = spec.steps(len(lengths)) / max(1, _steps_an_epoch(spec, len(lengths)))
    return int(once * share)


def _steps_an_epoch(spec: TrainSpec, n: int) -> int:
    return spec.model_copy(update={"epochs": 1.0, "max_steps": None}).steps(n)


def _passed(spec: TrainSpec, padded: int) -> float:
    """Return tokens as passes forwards and backwards: the reference passes forwards only."""
    whole = 3.0 if isinstance(spec.adapter, Full) else 2.0
    if isinstance(spec.method, Kto):  # three passes forwards besides: the reference's, and both on turned answers
        return padded * (1 + 3 / whole)
    if not isinstance(spec.method, Dpo):
        return float(padded)
    once = 1 / max(spec.epochs, 1.0) if spec.method.precompute else 1.0
    return padded * (1 + once / whole)


def _tokens(sources: Sources) -> int:
    total = sum(len(row.ids) for row in sources.rows.conversations)
    total += sum(row.length() for row in sources.rows.thumbs)
    return total + sum(2 * len(p.prompt) + len(p.chosen) + len(p.rejected) for p in sources.rows.pairs)


def _changes(spec: TrainSpec, shape: Shape, load: Load, on: Hardware) -> Iterator[str]:
    """Yield what to change, each with the peak it would lead to, one on top of the other, until it fits."""
    for words, update, factor in _steps_down(spec):
        spec = spec.model_copy(update=update)
        load = Load(max(1, load.rows // factor), load.length, max(1, load.scored // factor))
        peak = plan_memory(spec, shape, load, on.kind).peak
        fits = peak <= on.memory
        yield f"{words}: {peak / GB:.1f} GB{', which fits' if fits else ''}"
        if fits:
            return
    yield "that is still too much: take shorter rows (max_length), a smaller base, or more memory"


def _steps_down(spec: TrainSpec) -> Sequence[tuple[str, dict[str, object], int]]:
    found: list[tuple[str, dict[str, object], int]] = []
    if isinstance(spec.adapter, Full):
        found.append(("train an adapter, `adapter: {kind: lora}`", {"adapter": Lora(kind="lora")}, 1))
    if isinstance(spec.method, Dpo) and not spec.method.precompute:
        found.append(("`precompute: true`", {"method": spec.method.model_copy(update={"precompute": True})}, 1))
    if not spec.gradient_checkpointing:
        found.append(("`gradient_checkpointing: true`", {"gradient_checkpointing": True}, 1))
    if spec.batch > 1:
        words = f"`batch: 1` and `accumulate: {spec.batch * spec.accumulate}`"
        found.append((words, {"batch": 1, "accumulate": spec.batch * spec.accumulate}, spec.batch))
    return found
