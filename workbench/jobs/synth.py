"""Synthesise from a recipe: ask through distilabel, filter, hold against the firewall, store with lineage.

```
<home>/synth/<name>/<fingerprint>/   recipe.json replies.sqlite charges.txt → records.jsonl dropped.jsonl
                                     lineage.jsonl summary.json
<home>/synth/<name>/latest           the fingerprint of the last that was finished
```

The fingerprint covers recipe, sources and models: the same command goes on where it stopped, and pays for nothing twice
but what was in flight.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import orjson

from workbench.calling.budget import Budget
from workbench.config.workbench_yaml import Workbench
from workbench.curation.firewall import find_leaks
from workbench.curation.synth.asks import Dropped, Step, waterfall
from workbench.curation.synth.recipes import SynthRecipe
from workbench.evaluation.engine import Halt, Progress
from workbench.jobs.firewall import gates_of, meaning_of
from workbench.jobs.identities import identity
from workbench.jobs.opening import Opened, open_models
from workbench.jobs.pricing import Estimate
from workbench.jobs.synth_asking import Asker, Halted
from workbench.jobs.synth_making import Made, make
from workbench.jobs.synth_pricing import estimate_synthesis
from workbench.jobs.synth_sources import LATEST, RECORDS, Sources, sources_of
from workbench.nouns import Many, Noun, fingerprint
from workbench.reading.storing import Origin, store_rows
from workbench.store.cache import Kept
from workbench.store.charges import Charges
from workbench.store.files import write_atomic
from workbench.store.lock import owning

RULE = "1"
"""Bumped when the same replies would be filtered otherwise, or other prompts are written."""


class SynthRun(Noun):
    """What a finished synthesis made: `summary.json`."""

    recipe: str
    """`<name>@<fingerprint>`, as lineage names it."""
    kind: str
    """What was made."""
    use: str
    """For which side of the firewall."""
    asked: int
    """Texts or opinions that were asked for."""
    kept: int
    """Samples or records that were made."""
    dropped: Many[Step]
    """What was dropped, by reason."""
    requests: int
    """Replies that were needed."""
    reused: int
    """Of these, already in the journal when this command began."""
    failed: int
    """Of these, failures of a model."""
    cost: float
    """Money that was charged, over all resumptions."""
    dataset: str | None
    """The stored dataset, as `<name>-<use>@<fingerprint>`; `None` where only records were made."""
    records: str
    """File of records, for `workbench label push --from`."""


@dataclass(frozen=True)
class Synthesis:
    """A recipe that can start: its sources and the content hashes of its models."""

    bench: Workbench
    recipe: SynthRecipe
    sources: Sources
    identities: dict[str, str]

    @cached_property
    def fingerprint(self) -> str:
        """Content hash of all that decides what is made."""
        said = self.recipe.settings({"budget"})
        return fingerprint([RULE, said, self.sources.fingerprint(), self.identities])[:16]

    @property
    def name(self) -> str:
        """The recipe as lineage names it."""
        return f"{self.recipe.name}@{self.fingerprint}"

    @property
    def folder(self) -> Path:
        """Where it is written."""
        return self.bench.home.root / "synth" / self.recipe.name / self.fingerprint

    def estimate(self) -> list[Estimate]:
        """Return what it would call and cost at most."""
        return estimate_synthesis(self.bench, self.recipe, self.sources)


def prepare(bench: Workbench, recipe: SynthRecipe) -> Synthesis:
    """Read what a recipe starts from. Raises `ConfigError`, `DataError`, `LeakageError`."""
    return Synthesis(bench, recipe, sources_of(bench, recipe), {m: identity(bench, m) for m in recipe.models()})


async def synthesise(
    work: Synthesis, halt: Halt, watch: Callable[[Progress], None], say: Callable[[str], None], *,
    retry_failed: bool = False,
) -> SynthRun | None:  # fmt: skip
    """Make what a recipe says. Returns `None` when halted; the same call goes on.

    Raises `IncompleteRun` when the budget is spent or no server can be reached, `LockedError` where it runs already.
    """
    bench, recipe, folder = work.bench, work.recipe, work.folder
    budget = Budget(recipe.budget)
    with owning(folder), Charges(folder / "charges.txt") as charges, closing(Kept(folder / "replies.sqlite")) as kept:
        write_atomic(folder / "recipe.json", recipe.json_bytes())
        with budget.carried(charges.before, charges.add):
            async with open_models(bench, recipe.models(), budget, say) as opened:
                asker = _asker(work, opened, kept, halt, watch, retry_failed)
                try:
                    made = await asyncio.to_thread(make, recipe, work.sources, asker, work.name)
                except Halted:
                    if halt.reason is not None:
                        raise halt.reason from None
                    return None
        await asyncio.to_thread(_without_leaks, bench, made)
        return _written(work, made, asker.progress, budget.spent)


def _asker(
    work: Synthesis, opened: Opened, kept: Kept, halt: Halt, watch: Callable[[Progress], None], retry_failed: bool
) -> Asker:
    total = sum(one.calls for one in work.estimate())
    loop = asyncio.get_running_loop()
    asker = Asker(opened.models, work.identities, kept, halt, watch, loop, retry_failed, Progress(total=total))
    watch(asker.progress)
    return asker


def _without_leaks(bench: Workbench, made: Made) -> None:
    """Drop the samples that a gate set knows; what is made from documents may ask what a gate asks."""
    gates = gates_of(bench)
    if not made.samples or not gates:
        return
    hits = {hit.leak.learnt.id: hit for hit in find_leaks(made.samples, gates, bench.home, meaning_of(bench))}
    made.dropped += [Dropped(id=id, reason="leak", text=hit.told()) for id, hit in hits.items()]
    made.samples = [sample for sample in made.samples if sample.id not in hits]
    made.tasks = [task for task in made.tasks if task.id not in hits]


def _written(work: Synthesis, made: Made, progress: Progress, cost: float) -> SynthRun:
    """Store the dataset, write the files, and the summary last."""
    folder, recipe, steps = work.folder, work.recipe, waterfall(made.dropped)
    dataset = _stored(work, made, steps) if made.samples else None
    rows = ((task.id, made.lineage[task.id]) for task in made.tasks)
    told = ({"id": id, "lineage": lineage.model_dump(mode="json")} for id, lineage in rows)
    write_atomic(folder / RECORDS, _lines(t.model_dump(mode="json", exclude_defaults=True) for t in made.tasks))
    write_atomic(folder / "lineage.jsonl", _lines(told))
    write_atomic(folder / "dropped.jsonl", _lines(one.model_dump(mode="json") for one in made.dropped))
    run = SynthRun(
        recipe=work.name, kind=recipe.make.kind, use=recipe.use, asked=made.asked, kept=len(made.tasks),
        dropped=tuple(steps), requests=progress.done, reused=progress.reused, failed=progress.failed, cost=cost,
        dataset=dataset, records=str(folder / RECORDS),
    )  # fmt: skip
    write_atomic(folder / "summary.json", run.json_bytes())
    write_atomic(folder.parent / LATEST, work.fingerprint.encode())
    return run


def _stored(work: Synthesis, made: Made, steps: Iterable[Step]) -> str:
    rule = {"synth": work.name, "kind": work.recipe.make.kind, "from": work.sources.parent, "synthetic": "true"}
    rule["dropped"] = ", ".join(f"{step.reason} {step.n}" for step in steps)
    origin = Origin(name=work.recipe.name, kind="samples", use=work.recipe.use, rule=rule,
                    parents=(work.sources.fingerprint(),))  # fmt: skip
    stored = store_rows(made.samples, origin, work.bench.home.root, datetime.now(UTC))
    return f"{stored.path.parent.name}@{stored.manifest.fingerprint}"


def _lines(rows: Iterable[object]) -> bytes:
    return b"".join(orjson.dumps(row) + b"\n" for row in rows)
