"""The training runs: a table, and one of them with its curves, live while it runs."""

from __future__ import annotations

import streamlit as st

from dashboards import acting, building, charts_building, data, data_training, parts
from dashboards.data_training import Training
from dashboards.views import training_evaluating
from dashboards.views.compare_ladder import show_ladder
from workbench.errors import WorkbenchError
from workbench.jobs import background
from workbench.jobs.background import Job
from workbench.reports.words import interval_text, number
from workbench.training.folder import TrainFolder

LIVE = 2.0
"""Seconds between two looks at a run under way."""
CURVES = {
    "loss": ("loss",),
    "rewards": ("reward_chosen", "reward_rejected"),
    "margin": ("margin",),
    "accuracy": ("token_accuracy", "reward_accuracy"),
    "learning rate": ("learning_rate",),
    "gradient norm": ("grad_norm",),
    "tokens a second": ("tokens_per_second",),
}
"""What can be drawn, each with its fields."""


def show() -> None:
    """Show all runs, and the one that the address names, or the newest."""
    _begun()
    found = data_training.trainings()
    if not found:
        parts.empty("Nothing was trained yet: plan a recipe, then start it.", "workbench train sft RECIPE.yaml")
        return
    by_id = {one.folder.id: one for one in found}
    at = parts.table([_row(one) for one in found], key="trainings", height=min(300, 42 + 35 * len(found)))
    if at:
        st.query_params["run"] = found[at[0]].folder.id
    wanted = st.query_params.get("run", "")
    chosen = by_id.get(wanted, found[0])
    if wanted and wanted not in by_id:
        parts.trouble("No training run has this id; the newest is shown.", wanted)
    st.fragment(_one, run_every=LIVE if _busy(chosen) else None)(chosen.folder)
    if chosen.run is not None:
        _evaluated(chosen.folder.id)


def _begun() -> None:
    """Show the jobs that are on their way to a training run and have not begun to write it, until they do."""
    for job in data.jobs():
        if _awaited(job):
            st.fragment(_on_its_way, run_every=LIVE)(job.id)


def _awaited(job: Job) -> bool:
    return job.alive() and job.command.argv[:1] == ("train",) and not job.made


def _on_its_way(job_id: str) -> None:
    job = background.job(data.home(), job_id)
    if not _awaited(job):
        st.rerun()  # now it has a row in the table
    parts.progress(job)
    parts.link("Its job and log", "jobs", job=job.id)


def _row(one: Training) -> dict[str, object]:
    start, run = one.start, one.run
    told: dict[str, object] = {"state": one.state}
    if start is not None:
        loss, dev = (row.loss if row else None for row in ((run.last, run.dev) if run else (None, None)))
        told |= {"name": start.spec.name, "method": start.spec.method.kind, "dataset": start.spec.dataset[:60],
                 "steps": f"{run.steps if run else '…'} of {start.steps}", "loss": number(loss),
                 "dev loss": number(dev)}  # fmt: skip
    return told | {"run": one.folder.id}


def _one(folder: TrainFolder) -> None:
    """Show one run; run again by itself while it is under way."""
    one = data_training.training(folder)
    st.subheader("The run")
    parts.code(folder.id)
    if one.start is None:
        parts.trouble("This run cannot be read.", one.note)
        return
    _state(one)
    _buttons(one)
    try:
        rows = data_training.losses(folder)
    except WorkbenchError as exc:
        parts.fault(exc)
        rows = []
    drawn = [name for name, fields in CURVES.items() if any(getattr(r, f) is not None for r in rows for f in fields)]
    if not drawn:
        st.caption("No step was measured yet.")
    for at in range(0, min(len(drawn), 4), 2):
        for column, name in zip(st.columns(2), drawn[at : at + 2], strict=False):
            with column:
                parts.chart(charts_building.curves(rows, CURVES[name], name))
    if len(drawn) > 4:
        with st.expander(", ".join(drawn[4:])):
            for name in drawn[4:]:
                parts.chart(charts_building.curves(rows, CURVES[name], name))
    _told(one)
    if _busy(one):
        st.session_state[f"ran-{folder.id}"] = True
    elif st.session_state.pop(f"ran-{folder.id}", False):
        st.rerun()  # the table and the pace of this part are of the time when it ran


def _busy(one: Training) -> bool:
    """Return whether it runs, or its job still has to end after the run was let go of."""
    job = data_training.job_of(one.folder.id)
    return one.state == "running" or (job is not None and job.alive())


def _state(one: Training) -> None:
    """Say how far it is, or how it ended and why."""
    now = data_training.progress(one.folder)
    if one.run is not None:
        early = one.run.state == "stopped early"
        parts.badge("inconclusive" if early else "pass", one.run.state)
        if one.run.why:
            parts.text("Why it ended early", one.run.why)
        took = f"{one.run.steps:,} of {one.run.start.steps:,} steps in {parts.duration(one.run.seconds)}"
        peak = "" if one.run.peak_bytes is None else f" · peak {one.run.peak_bytes / 1e9:.2f} GB"
        st.caption(f"{took}{peak} · made {parts.plain(one.run.made)}")
    elif now is not None:
        left = "" if now.left is None or one.state != "running" else f" · about {parts.duration(now.left)} left"
        line = f"{one.state} · {parts.plain(now.doing)} · step {now.step:,} of {now.steps:,}{left}"
        st.progress(min(1.0, now.step / now.steps) if now.steps else 0.0, line)
    else:
        st.caption(f"{one.state}, before its first step")


def _buttons(one: Training) -> None:
    job = data_training.job_of(one.folder.id)
    with st.container(horizontal=True):
        if job is not None and job.alive():
            if parts.button("Save a checkpoint and stop", "stop", key="stop", allowed=acting.may_cancel(job)):
                acting.cancel(job)
                st.rerun()
            if job.state == "stopping":
                st.caption("Stopping at the end of the step; pressed again, it stops at once.")
        elif one.state == "unfinished" and parts.button("Go on from the last checkpoint", "train", key="go-on"):
            building.resume_training(one.folder.id)
            st.rerun()  # it is followed above until it has begun, then here
        if one.run is not None:
            parts.link("Chat with it", "training", view="Chat", second=f"train:{one.folder.id}")
        if job is not None:
            parts.link("Its job and log", "jobs", job=job.id)


def _evaluated(run_id: str) -> None:
    """Show the evaluations of what it made, and the ladder on their samples."""
    st.subheader("Evaluated")
    runs = data.finished()
    mine = [run for run in runs if run.model == f"train:{run_id}"]
    training_evaluating.show(run_id, none_yet=not mine)
    if not mine:
        return
    for run in mine[:5]:
        means = " · ".join(f"{m.scorer} {number(m.value)} {interval_text(m.interval)}" for m in run.metrics)
        with st.container(horizontal=True):
            parts.link(f"{run.evalset} {run.use}", "runs", run=run.id)
            parts.link("Compare", "compare", b=run.id)
            if run.use != "gate":
                parts.link("Compare by hand", "training", view="Compare by hand", b=run.id)
        st.caption(parts.plain(f"{means} · n {run.n:,}", 400))
    show_ladder(runs, mine[0].id)


def _told(one: Training) -> None:
    assert one.start is not None
    with st.expander("What it was begun with"):
        parts.code(one.start.spec.model_dump_json(indent=2, exclude_defaults=True))
        facts = {"base weights": one.start.base_weights, "chat template": one.start.template, **one.start.firewall,
                 "rows left out as too long": str(len(one.start.dropped)), **one.start.environment}  # fmt: skip
        parts.table([{"what": name, "is": value} for name, value in facts.items()])
    card = one.folder.path / "card.md"
    if card.exists():
        with st.expander("Card"):
            parts.text("", card.read_text("utf-8", "replace"))
