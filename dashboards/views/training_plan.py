"""Plan a training: its memory by part against the card, steps, time, energy; then start it as a job."""

from __future__ import annotations

import streamlit as st

from dashboards import building, charts_building, data, data_building, data_training, parts
from workbench.datasets import Kind
from workbench.errors import WorkbenchError
from workbench.jobs.training_plan import TrainPlan
from workbench.models import LocalSpec
from workbench.training.cost import HARDWARE
from workbench.training.folder import folders
from workbench.training.memory import GB
from workbench.training.spec import TrainSpec

NEW = "(a new recipe)"
METHODS = {"sft": "SFT: learn from conversations", "dpo": "DPO: learn from pairs"}
ADAPTERS = {"lora": "LoRA", "qlora": "QLoRA, a GPU with bitsandbytes", "none": "all weights"}


def show() -> None:
    """Show the recipe, what it would take, and the button that starts it."""
    found = data_training.recipes()
    names = {recipe.name: recipe for recipe in found}
    chosen = parts.choose("Recipe", [NEW, *names], key="recipe")
    recipe = names.get(chosen or NEW)
    if recipe is not None and recipe.spec is None:
        parts.trouble("This recipe cannot be read.", recipe.fault)
        return
    spec = recipe.spec if recipe is not None else _new()
    if spec is None:
        return
    left, right = st.columns(2)
    with left:
        hardware = parts.choose("Card", list(HARDWARE), key="on") or "cpu"
    memory = right.number_input("Its memory in GB", 0.5, 4096.0, None, key="memory", bind="query-params",
                                placeholder=f"{HARDWARE[hardware].memory / GB:.0f}")  # fmt: skip
    try:
        plan = data_training.plan_of(spec, hardware, memory)
    except WorkbenchError as exc:
        parts.fault(exc)
        return
    _plan(plan)
    with st.expander("The recipe"):
        parts.code(spec.model_dump_json(indent=2, exclude_defaults=True))
    st.caption("It is written into `recipes/` beside workbench.yaml and runs as a job of its own, on this machine.")
    if parts.button("Start training", "train", key="start"):
        try:
            parts.started(building.start_training(spec))
        except WorkbenchError as exc:
            parts.fault(exc)


def _new() -> TrainSpec | None:
    """Let a recipe be made of what is here; `None` while something is missing."""
    first, second, third = st.columns(3)
    with first:
        method = parts.choose("Method", list(METHODS), key="method", shown=lambda m: METHODS[m]) or "sft"
        name = st.text_input("Name", key="called", bind="query-params", placeholder="tone")
    kind: Kind = "pairs" if method == "dpo" else "conversations"
    stored = data_building.datasets(kind)
    refs = {f"{one.manifest.name}@{one.path.name[:12]}": one.manifest for one in stored}
    train = [ref for ref, manifest in refs.items() if manifest.use == "train"]
    dev = [ref for ref, manifest in refs.items() if manifest.use == "dev"]
    if not train:
        parts.empty(
            f"No {kind} of use train are stored yet.", f"workbench pairs build NAME --kind {kind} --labels DATASET"
        )
        return None
    with second:
        dataset = parts.choose("Learn from", train, key="dataset")
        watched = parts.choose("Look at meanwhile", ["(nothing)", *dev], key="dev")
    with third:
        base = parts.choose("Base", _bases(), key="base")
        starts = [one.id for one in folders(data.home()) if one.summary.exists()]
        start = parts.choose("Go on from", ["(the base)", *reversed(starts)], key="from")
    if base is None or dataset is None:
        parts.empty("No local model stands in workbench.yaml that could be tuned.", "workbench model ls")
        return None
    fields: dict[str, object] = {"name": name or method, "base": base, "dataset": dataset, "method": {"kind": method}}
    fields |= {} if watched in (None, "(nothing)") else {"dev": watched}
    fields |= {} if start in (None, "(the base)") else {"start": start}
    return _detailed(fields)


def _detailed(fields: dict[str, object]) -> TrainSpec | None:
    """Add the figures, each with its default, and return the recipe; what is wrong with it is told."""
    with st.expander("Adapter, rate, batches"):
        first, second, third, fourth = st.columns(4)
        with first:
            adapter = parts.choose("Adapter", list(ADAPTERS), key="adapter", shown=lambda a: ADAPTERS[a]) or "lora"
        rank = second.number_input("Rank", 1, 1024, 16, key="rank", bind="query-params")
        epochs = third.number_input("Epochs", 0.1, 100.0, 1.0, key="epochs", bind="query-params")
        batch = fourth.number_input("Batch", 1, 4096, 8, key="batch", bind="query-params")
        rate = first.number_input(
            "Learning rate", 0.0, 1.0, None, key="rate", format="%.2e", placeholder="by the method"
        )
        accumulate = second.number_input("Accumulate", 1, 4096, 1, key="accumulate", bind="query-params")
        length = third.number_input(
            "Most tokens of a row", 8, 1_000_000, None, key="max_length", placeholder="the model's"
        )
        long_rows = fourth.selectbox("Longer rows", ["refuse", "drop"], key="long_rows", bind="query-params")
        threads = first.number_input("Threads", 1, 1024, None, key="threads", placeholder="all", help="on a CPU")
        saving = st.checkbox(
            "Compute activations twice (gradient checkpointing)", key="checkpointing", bind="query-params"
        )
    fields |= {"adapter": {"kind": adapter} | ({} if adapter == "none" else {"rank": int(rank or 16)}),
               "epochs": float(epochs or 1), "batch": int(batch or 8), "accumulate": int(accumulate or 1),
               "long_rows": long_rows, "gradient_checkpointing": saving,
               **({} if rate is None else {"learning_rate": float(rate)}),
               **({} if threads is None else {"threads": int(threads)}),
               **({} if length is None else {"max_length": int(length)})}  # fmt: skip
    try:
        return TrainSpec.model_validate(fields)
    except ValueError as exc:
        parts.trouble("This is no recipe yet.", str(exc))
        return None


def _bases() -> list[str]:
    """Return the local models' folders or hub ids, the candidate's first."""
    bench = data.bench()
    specs = [bench.model(bench.candidate()), *bench.config.models.values()]
    return list(dict.fromkeys(spec.base for spec in specs if isinstance(spec, LocalSpec)))


def _plan(plan: TrainPlan) -> None:
    parts.badge("pass" if plan.fits else "fail", "fits" if plan.fits else "does not fit")
    on, cost = plan.hardware, plan.cost
    parts.chart(charts_building.memory(plan.memory, on.memory, on.name))
    figures = {"peak": f"{plan.memory.peak / GB:.2f} GB", "trained": f"{plan.trainable:,}", "steps": f"{plan.steps:,}",
               "time": parts.duration(cost.seconds), "energy": f"{cost.kilowatt_hours:.3g} kWh",
               "CO2": f"{cost.co2:.3g} kg"}  # fmt: skip
    parts.grid([lambda at=at: st.metric(*at) for at in figures.items()], width=3)  # type: ignore[misc]
    dropped = f", {plan.dropped:,} left out as too long" if plan.dropped else ""
    st.caption(
        f"{plan.rows:,} rows, the longest of {plan.longest:,} tokens{dropped}; {plan.learnt:,} of {plan.tokens:,} "
        f"tokens learnt; a base of {plan.parameters:,} parameters; {parts.plain(cost.model, 300)}"
    )
    for said in (*plan.changes, *plan.notes):
        parts.text("", said)
