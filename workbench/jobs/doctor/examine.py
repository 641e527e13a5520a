"""Everything that `workbench doctor` looks at, in the order in which it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

from workbench.config.evalset_yaml import find_evalsets
from workbench.config.workbench_yaml import Workbench, load_workbench
from workbench.errors import ProblemsError, WorkbenchError
from workbench.jobs.doctor import machine, servers
from workbench.jobs.doctor.check import Check
from workbench.jobs.identities import resolved
from workbench.models import EndpointSpec, LocalSpec, ModelSpec
from workbench.store.model_folder import check_model_folder


async def examine(config: Path | None) -> list[Check]:
    """Look at everything. A fault hides none of the others; without a usable workbench.yaml the rest is looked at."""
    try:
        bench = load_workbench(config)
    except WorkbenchError as exc:
        return [_fault("workbench.yaml", exc), *_here(Path.cwd())]
    models = bench.config.models
    endpoints = [servers.endpoint(name, spec) for name, spec in models.items() if isinstance(spec, EndpointSpec)]
    answered, labelling = await asyncio.gather(asyncio.gather(*endpoints), servers.argilla(bench))
    return [
        Check(name="workbench.yaml", state="ok", found=f"{bench.file}: {len(models)} models"),
        _evalsets(bench),
        *(check for found in answered for check in found),
        *(_model(bench, name, spec) for name, spec in models.items() if not isinstance(spec, EndpointSpec)),
        *_here(bench.home.root),
        labelling,
    ]


def _here(home: Path) -> Iterator[Check]:
    yield from machine.packages()
    yield machine.disk(home)
    yield machine.telemetry()
    yield from machine.tools()


def _evalsets(bench: Workbench) -> Check:
    """Check every evalset.yaml and rubric; `workbench evalset validate` reads the rows too."""
    try:
        names = [evalset.name for evalset in find_evalsets(bench)]
    except WorkbenchError as exc:
        return _fault("evalsets", exc)
    return Check(name="evalsets", state="ok", found=", ".join(names))


def _model(bench: Workbench, name: str, spec: ModelSpec) -> Check:
    """Check that the files of a model are there; nothing is fetched, loaded or hashed."""
    title = f"model {name}"
    if isinstance(spec, LocalSpec):
        spec = resolved(bench, spec)
        if not Path(spec.base).is_dir():
            what, fix = f"{spec.base} is no folder here, so it is taken for a hub id", "the first run fetches it"
            return Check(name=title, state="note", found=what, fix=fix)
        try:
            check_model_folder(Path(spec.base), None if spec.adapter is None else Path(spec.adapter))
        except WorkbenchError as exc:
            return _fault(title, exc)
        return Check(name=title, state="ok", found=f"{spec.base}" + (f" with {spec.adapter}" if spec.adapter else ""))
    if spec.kind == "recorded":
        file = bench.path(spec.path)
        if not file.is_file():
            return Check(name=title, state="fault", found=f"{file}: no such file", fix=f"mend models.{name}.path")
        return Check(name=title, state="ok", found=f"{file}, {file.stat().st_size:,} bytes")
    return Check(name=title, state="ok", found="the shipped test double, which calls nobody")


def _fault(name: str, exc: WorkbenchError) -> Check:
    """Return an error as a check; what to do stands in its words."""
    more = f"\n({len(exc.problems)} problems)" if isinstance(exc, ProblemsError) and len(exc.problems) > 1 else ""
    return Check(name=name, state="fault", found=f"{exc}{more}", fix="mend what is named; codes: docs/errors.md")
