"""How long training takes and what it uses, from a stated model: operations, a device's speed, its power, its grid."""

from __future__ import annotations

from pydantic import Field

from workbench.nouns import Noun
from workbench.training.shape import Shape
from workbench.training.spec import Full, Qlora, TrainSpec

GRID = 0.473
"""Kilograms of CO2 a kilowatt-hour: the world's mean in 2024 (Ember, Global Electricity Review 2025)."""


class Hardware(Noun):
    """What a run is planned for."""

    name: str
    """What it is called."""
    kind: str
    """`cpu` or `cuda`."""
    memory: int
    """Bytes."""
    flops: float = Field(gt=0)
    """Operations a second that training really reaches, about 0.35 of a GPU's peak in bfloat16."""
    watts: float = Field(gt=0)
    """Power under load, with its share of the machine."""


GIB = 2**30
HARDWARE: dict[str, Hardware] = {
    "cpu": Hardware(name="cpu", kind="cpu", memory=16 * GIB, flops=4e10, watts=65),
    "t4": Hardware(name="t4", kind="cuda", memory=15 * GIB, flops=1.6e13, watts=120),
    "rtx4090": Hardware(name="rtx4090", kind="cuda", memory=24 * GIB, flops=5.5e13, watts=500),
    "l4": Hardware(name="l4", kind="cuda", memory=22 * GIB, flops=4.0e13, watts=120),
    "a100-40": Hardware(name="a100-40", kind="cuda", memory=39 * GIB, flops=1.1e14, watts=500),
    "a100": Hardware(name="a100", kind="cuda", memory=79 * GIB, flops=1.1e14, watts=500),
    "h100": Hardware(name="h100", kind="cuda", memory=79 * GIB, flops=3.4e14, watts=900),
    "h200": Hardware(name="h200", kind="cuda", memory=139 * GIB, flops=3.4e14, watts=900),
}
"""Vendors' peaks in bfloat16 (float16 on a T4) × 0.25 to 0.35; watts are the board's limit × 1.3 for the rest."""


class Cost(Noun):
    """What a run takes."""

    operations: float
    """Floating-point operations."""
    seconds: float
    kilowatt_hours: float
    co2: float
    """Kilograms."""
    model: str
    """The assumptions, in words."""


def plan_cost(spec: TrainSpec, shape: Shape, tokens: float, length: float, on: Hardware, grid: float = GRID) -> Cost:
    """Return what training over `tokens` padded tokens, of rows of `length` on average, takes.

    Two operations a weight and token forwards; as many backwards for the activations; as many again for the weights
    where these are trained (Kaplan and others 2020, section 2.1); attention's 4 × length × width a block on top.
    """
    attention = 4 * length * shape.heads * shape.head * shape.layers / 2  # half of it is masked
    forward = 2 * (shape.in_blocks() + shape.embedding()) + attention
    passes = 3.0 if isinstance(spec.adapter, Full) else 2.0
    passes += 1.0 if spec.gradient_checkpointing else 0.0
    passes += 0.3 if isinstance(spec.adapter, Qlora) else 0.0  # unpacking 4 bits
    operations = forward * passes * tokens
    seconds = operations / on.flops
    energy = seconds * on.watts / 3.6e6
    told = f"{on.flops:.2g} operations/s and {on.watts:g} W on {on.name}, {grid:g} kg CO2/kWh"
    return Cost(operations=operations, seconds=seconds, kilowatt_hours=energy, co2=energy * grid, model=told)
