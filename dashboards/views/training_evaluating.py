"""Ask a trained model the questions of an evalset, as a job: a part of the training page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from dashboards import acting, data, parts
from workbench.config.evalset_yaml import FILE
from workbench.errors import WorkbenchError


def show(run_id: str, *, none_yet: bool) -> None:
    """Offer to evaluate what a training made, on a side that may be learnt from; the gate is asked on its own page."""
    names = sorted(path.parent.name for path in data.bench().evalsets.glob(f"*/{FILE}"))
    with st.expander("Evaluate it" if none_yet else "Evaluate it again", expanded=none_yet):
        if not names:
            parts.empty("There is no evalset yet.", "workbench init")
            return
        if none_yet:
            st.caption("Not evaluated yet. Ask it what its base was asked, then compare.")
        usual, asked = _usual(names)
        first, second, third = st.columns(3)
        evalset = first.selectbox("Eval set", names, index=names.index(usual), key="eval-set")
        use = second.selectbox("Side", ("dev", "train"), key="eval-use")
        limit = third.number_input("Questions at most", 1, 1_000_000, asked, key="eval-limit", placeholder="all")
        argv = ["eval", "run", evalset, "--use", use, "--model", f"train:{run_id}"]
        argv += [] if limit is None else ["--limit", str(limit)]
        if parts.button("Evaluate", "evaluate", key="evaluate-it"):
            try:
                parts.started(acting.start(argv))
            except WorkbenchError as exc:
                parts.fault(exc)
        parts.code(f"workbench {' '.join(argv)}")


def _usual(names: Sequence[str]) -> tuple[str, int | None]:
    """Return the evalset that is mostly asked here, and to how many questions its newest dev run was limited."""
    runs = [run for run in data.finished() if run.evalset in names and run.use == "dev"]
    if not runs:
        return names[0], None
    ((name, _),) = Counter(run.evalset for run in runs).most_common(1)
    newest = next(run for run in runs if run.evalset == name)
    return name, data.run(newest.id).spec.limit
