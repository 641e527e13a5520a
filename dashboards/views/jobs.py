"""What runs in the background: progress, log, stop, go on. It lives on without this page."""

from __future__ import annotations

import streamlit as st

from dashboards import acting, data, parts
from workbench.jobs import background
from workbench.jobs.background import Job

SHOWN = 200
LIVE = 2.0
"""Seconds between two looks at a job that runs."""
STOP = ("Stop", "Stop at once", "Kill")
"""What the first, the second and the third request do."""


def show() -> None:
    """Show the list of jobs, and one of them."""
    parts.head("Jobs", "Evaluations, trainings and other long work. Closing this page, or its server, stops none.")
    found = data.jobs()
    if not found:
        parts.empty("Nothing was started from the pages yet. What is typed is not listed here.", "workbench jobs ls")
        return
    at = parts.table([_row(job) for job in found[:SHOWN]], key="jobs-table", height=min(40 + 35 * len(found), 320))
    if len(found) > SHOWN:
        st.caption(f"The newest {SHOWN} of {len(found)}; all: `workbench jobs ls`")
    if at:
        st.query_params["job"] = found[at[0]].id
    wanted = st.query_params.get("job") or found[0].id
    chosen = background.job(data.home(), wanted)
    st.fragment(_one, run_every=LIVE if chosen.alive() else None)(chosen.id)


def _row(job: Job) -> dict[str, object]:
    return {
        "state": job.state,
        "command": " ".join(job.command.argv),
        "by": job.command.by,
        "began": job.command.at[:19].replace("T", " "),
        "ended": job.ended[:19].replace("T", " "),
        "job": job.id,
    }


def _one(job_id: str) -> None:
    """Show one job; run again by itself while the job lives."""
    job = background.job(data.home(), job_id)
    st.subheader("The job")
    parts.code("workbench " + " ".join(job.command.argv))
    parts.progress(job)
    resumed = f" · goes on with {job.command.resumes}" if job.command.resumes else ""
    st.caption(f"{job.id} · started by {parts.plain(job.command.by)}, {job.command.at}{resumed}")
    for stop in job.stops:
        st.caption(f"asked to stop by {parts.plain(stop.by)}, {stop.at}")
    with st.container(horizontal=True):
        for made in job.made:
            if made.kind == "runs":
                parts.link(f"Its run {made.id}", "runs", run=made.id)
            else:
                parts.link(f"Its training {made.id}", "training", run=made.id)
    _buttons(job)
    st.caption("Log")
    said = background.log(job)
    with st.container(height=420, autoscroll=True):
        parts.text("", said or "(nothing yet)")
    if not job.alive() and st.session_state.pop(f"alive-{job.id}", False):
        st.rerun()  # the list and the pace of this part are of the time when it ran
    if job.alive():
        st.session_state[f"alive-{job.id}"] = True


def _buttons(job: Job) -> None:
    with st.container(horizontal=True):
        if job.alive():
            label = STOP[min(len(job.stops), len(STOP) - 1)]
            if parts.button(label, "stop", key="cancel", allowed=acting.may_cancel(job)):
                acting.cancel(job)
                st.rerun()
        elif job.resumable() and parts.button("Go on", acting.what(job.command.argv), key="resume"):
            st.query_params["job"] = acting.resume(job).id
            st.rerun()
