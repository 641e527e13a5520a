"""The form of the pairs page: what a set is built from, and by which policy. All of it stands in the address."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from dashboards import data, data_building, parts
from workbench.curation.pairs.policy import PairPolicy
from workbench.datasets import Use
from workbench.jobs.pairs import Building, Made, Sources
from workbench.labelling.by_hand import book_of
from workbench.reading.storing import NAME

USES: tuple[Use, ...] = ("train", "dev")
CONFLICTS = {"adjudicated": "as adjudicated, else by majority", "majority": "by majority", "unanimous": "all agree"}
TIES = {"against": "a tie counts against both", "ignored": "ties are ignored"}
BOTH_BAD = {"drop": "drop both-bad", "keep": "keep the better of two bad"}
RANKINGS = {"all": "every two ranks", "neighbours": "neighbouring ranks", "ends": "first over last"}
LEAKS = {"refuse": "refuse what a gate set knows", "drop": "drop what a gate set knows"}


def wanted() -> Building | None:
    """Let sources, name and policy be chosen; `None` where there is nothing to build from yet."""
    name, use, kind = _named()
    sources = _sources()
    policy = _policy()
    if not any((sources.labels, sources.feedback, sources.datasets, sources.runs, sources.picks)):
        parts.empty("Choose what to build from, or have answers labelled first.", "workbench label pull DATASET")
        return None
    if not NAME.fullmatch(name):
        st.info("Give the set a name: letters, digits, dot, dash, underscore.", icon=":material/info:")
        return None
    return Building(name, use, kind, sources, policy)


def _named() -> tuple[str, Use, Made]:
    left, middle, right = st.columns([2, 1, 1])
    name = left.text_input("Name", key="into", bind="query-params", placeholder="answers")
    with middle:
        kind = _one("Rows", {kind: kind for kind in get_args(Made)}, "kind")
    with right:
        use = _one("Use", {use: use for use in USES}, "use")
    return name or "answers", use, kind  # type: ignore[return-value]


def _sources() -> Sources:
    snapshots = [one.path.parent.name for one in data_building.snapshots()]
    stored = [one.label for one in data_building.datasets("pairs", "conversations") if one.manifest.use != "gate"]
    runs = {run.id: f"{run.model} · {run.evalset} · {run.use}" for run in data.finished() if run.use != "gate"}
    n_picks = len(book_of(data.home().root).records())
    left, right = st.columns(2)
    with left:
        labels = parts.choose_several("What people labelled", snapshots, key="labels")
        by_runs = parts.choose_several(
            "Runs: what passed over what failed", list(runs), key="runs", shown=lambda run: runs[run]
        )
        picks = st.checkbox(f"Picks by hand, side by side ({n_picks:,})", key="picks", bind="query-params")
    with right:
        feedback = parts.choose_several("What models suggested there", snapshots, key="feedback")
        datasets = parts.choose_several("Stored sets", stored, key="from")
        scorer = st.text_input("Scorer that decides between runs", key="scorer", bind="query-params")
    return Sources(labels, feedback, datasets, by_runs, scorer or None, picks=picks)


def _policy() -> PairPolicy:
    with st.expander("Policy: ties, conflicts, both-bad, leaks"):
        first, second, third = st.columns(3)
        with first:
            conflicts = _one("Conflicts", CONFLICTS, "conflicts")
            ties = _one("Ties", TIES, "ties")
            votes = st.number_input("Least votes", 1, 100, 1, key="votes", bind="query-params")
        with second:
            both_bad = _one("Both bad", BOTH_BAD, "both_bad")
            rankings = _one("Rankings", RANKINGS, "rankings")
            margin = st.number_input("Least margin", 0.0, 100.0, 0.0, key="margin", bind="query-params")
        with third:
            leaks = _one("Firewall", LEAKS, "leaks")
            per_prompt = st.number_input("Most pairs of a prompt", 1, 1000, 6, key="per_prompt", bind="query-params")
            guideline = st.text_input("Guideline version", key="guideline", bind="query-params", placeholder="any")
        tuned = st.text_input(
            "Model to be tuned", key="tuned", bind="query-params", placeholder="for the on-policy flag"
        )
    return PairPolicy.model_validate(
        {"conflicts": conflicts, "ties": ties, "min_votes": int(votes), "both_bad": both_bad, "rankings": rankings,
         "min_margin": float(margin), "leaks": leaks, "per_prompt": int(per_prompt), "guideline": guideline or "",
         "tuned": tuned or ""}
    )  # fmt: skip


def _one(label: str, options: dict[str, str], key: str) -> str:
    """Let one of the program's own words be chosen."""
    return parts.choose(label, list(options), key=key, shown=lambda word: options[word]) or next(iter(options))
