"""The filter of failures, which several pages share: it stands in the address, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from dashboards import data, data_failures, parts
from workbench.failures.clusters import Clustering
from workbench.failures.failure import Facets, Key, Wanted

ANY = ""
NAMES = ("metric", "slice", "cause", "error", "human", "text", "notes", "cluster")
"""What the address holds of a filter, besides the run."""
HUMAN = {"fail": "people failed it", "pass": "people passed it", "conflict": "judge and people differ"}
NOTES = {"with": "with a note", "without": "without a note"}


def chosen_run() -> str | None:
    """Let a finished run be chosen; `None`, having said what to do, where there is none."""
    there = {e.id: f"{e.evalset} · {e.use} · {e.model} · {e.started[:16].replace('T', ' ')}" for e in data.finished()}
    if not there:
        parts.empty("No run is finished yet. Failures are found in finished runs:", "workbench eval run")
        return None
    return parts.choose("Run", list(there), key="run", shown=lambda run: there[run])


def chosen(run: str) -> Wanted:
    """Draw the filter over a run, and return it."""
    counts = data_failures.counted(run)
    top, below = st.columns(4), st.columns(4)
    with top[0]:
        metric = _one("Metric", "metric", counts.metrics)
    with top[1]:
        cause = _one("Cause", "cause", counts.causes)
    with top[2]:
        tag = _one("Slice", "slice", counts.slices)
    with top[3]:
        error = _one("Error", "error", counts.errors)
    with below[0]:
        human = parts.choose("People", [ANY, *HUMAN], key="human", shown=lambda v: HUMAN.get(v, "any"))
    with below[1]:
        notes = parts.choose("Notes", [ANY, *NOTES], key="notes", shown=lambda v: NOTES.get(v, "any"))
    text = below[2].text_input("Question or answer holds", key="text", bind="query-params")
    limit = (
        below[3].text_input("Graded metric below", key="below", bind="query-params", help="for a graded metric") or ""
    )
    said = {"metric": metric, "cause": cause, "slice": tag, "error": error, "human": human, "text": text}
    given = {name: value for name, value in said.items() if value}
    return Wanted.model_validate(
        {
            **given,
            "coded": {"with": True, "without": False}.get(notes or ""),
            "below": _number(limit),
        }
    )


def of_address() -> Wanted:
    """Return the filter that the address holds, without drawing it."""
    query = st.query_params
    given = {name: query[name] for name in ("metric", "slice", "cause", "error", "text") if query.get(name)}
    human = query.get("human", "")
    more = {
        "human": human if human in HUMAN else None,
        "below": _number(query.get("below", "")),
    }
    return Wanted.model_validate(given | more)


def in_cluster(run: str) -> tuple[Clustering, tuple[Key, ...], str] | None:
    """Return the cluster that the address names: its clustering, its members, its title; or `None`."""
    name, _, number = st.query_params.get("cluster", "").rpartition(":")
    for one in data_failures.clustered(run):
        for cluster in one.clusters:
            if one.id == name and str(cluster.number) == number:
                title = cluster.name or ", ".join(cluster.words)
                return one, tuple((of.sample, of.repeat) for of in cluster.members), title
    return None


def as_query(run: str) -> dict[str, str]:
    """Return the filter as the address of another page holds it."""
    query = {name: st.query_params[name] for name in (*NAMES, "below") if st.query_params.get(name)}
    return {"run": run, **query}


def told(counts: Facets, wanted: Wanted) -> str:
    """Return what is listed, in words."""
    if wanted.human is not None:
        return HUMAN[wanted.human]
    return "failing answers" if wanted.metric is None else "answers that this metric finds wrong"


def _one(label: str, key: str, counts: Mapping[str, int]) -> str | None:
    now = st.query_params.get(key, ANY)
    options = [ANY, *counts, *([now] if now and now not in counts else [])]
    return parts.choose(label, options, key=key, shown=lambda v: f"{v} ({counts.get(v, 0):,})" if v else "any")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value == value and abs(value) != float("inf") else None
