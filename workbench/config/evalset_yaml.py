"""`evalset.yaml`: what is asked, on which side of the firewall, and how answers are scored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import Field

from workbench.config.lm_eval_yaml import read_tasks
from workbench.config.policy_yaml import policy_problems
from workbench.config.workbench_yaml import Workbench, unknown_model
from workbench.config.yaml_source import load_yaml
from workbench.datasets import Split, Use
from workbench.errors import ConfigError, DataError, Problem
from workbench.gate.policy import Policy
from workbench.nouns import Many, Noun
from workbench.reading.paths import outside
from workbench.reading.samples import store_dataset
from workbench.reading.stored import StoredDataset
from workbench.runs import ScorerInfo
from workbench.scoring.base import Scorer
from workbench.scoring.lm_eval import LmEval, LmEvalSpec, TaskSet
from workbench.scoring.specs import ScorerSpec
from workbench.store.home import Home

FILE = "evalset.yaml"


class EvalsetSpec(Noun):
    """A set of samples and the scorers that judge answers to them."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=80)
    """Name of the evalset; the same as its folder's."""
    version: str = Field(min_length=1)
    """Version of its text; bump it when the meaning of a score changes."""
    description: str = ""
    """What it measures, for people."""
    samples: str = Field("samples.jsonl", min_length=1)
    """JSONL, CSV or Parquet file inside the evalset's folder."""
    # Said this way because pydantic drops a docstring beside a reference.
    harness: LmEvalSpec | None = Field(None, json_schema_extra={"description": "Tasks that give the samples."})
    """Tasks of lm-eval that give the samples, in place of a file."""
    use: Use | None = None
    """The one purpose of all samples. Give this or `split`."""
    split: Split | None = None
    """How the samples are divided by family. Give this or `use`."""
    model: str | None = Field(None, min_length=1)
    """Model of workbench.yaml that this evalset is for, such as a RAG pipeline; left out, it is the `candidate`."""
    scorers: Many[ScorerSpec] = Field(min_length=1)
    """How answers are judged; names are unique."""
    quarantine_share: float = Field(0.0, ge=0, lt=1)
    """Share of the rows that may be set aside as unusable before the evalset is refused."""
    policy: Policy | None = None
    """What must hold for a release; `workbench gate` decides by it on the samples of use `gate`."""

    def uses(self) -> tuple[Use, ...]:
        """Return the sides of the firewall that it has."""
        if self.split is not None:
            return self.split.uses()
        return () if self.use is None else (self.use,)


@dataclass(frozen=True)
class Evalset:
    """A loaded evalset: its spec, where it lies, and scorers that hold the files they name."""

    file: Path
    spec: EvalsetSpec
    scorers: tuple[Scorer, ...]
    tasks: TaskSet | None = None
    """Tasks of lm-eval that give the samples."""

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def folder(self) -> Path:
        return self.file.parent

    @property
    def samples(self) -> Path:
        return self.folder / self.spec.samples

    def uses(self) -> tuple[Use, ...]:
        """Return the sides of the firewall that it has."""
        return self.spec.uses()

    def rows(self, use: Use, home: Home) -> StoredDataset:
        """Return the samples of one use, stored, to run on. Raises `DataError`, also where there are none."""
        stored = self.stored(use, home)
        if stored.manifest.n == 0:
            fix = f"add samples: a new family lies on the side '{use}' with the chance of its share in `split`"
            what = f"the split puts no sample on the side '{use}', so there is nothing to run"
            raise DataError(Problem("NO_RECORDS", what, str(self.samples), fix=fix))
        return stored

    def stored(self, use: Use, home: Home) -> StoredDataset:
        """Return the samples of one use, stored; a side of the split may have none. Raises `DataError`."""
        share = self.spec.quarantine_share
        source = self.samples
        if self.tasks is not None:
            from workbench.adapters.lm_eval_harness.tasks import write_samples

            source = write_samples(self.tasks, home.cache / "lm_eval")
        return store_dataset(
            source, name=self.name, use=use, split=self.spec.split, home=home.root, quarantine_share=share
        )


def load_evalset(folder: Path, bench: Workbench | None = None, environment: Mapping[str, str] | None = None) -> Evalset:
    """Load an evalset's folder. With `bench`, judges must be models of it. Raises `ConfigError` with every fault."""
    file = folder / FILE
    scorers: list[Scorer] = []
    tasks: list[TaskSet] = []

    def check(spec: EvalsetSpec) -> list[Problem]:
        found = [*_own_problems(spec, folder), *_judge_problems(spec, bench), *_harness_problems(spec)]
        if spec.harness is not None:
            try:
                tasks.append(read_tasks(spec.harness, folder))
            except ConfigError as exc:
                found += exc.problems
        for at, scorer in enumerate(spec.scorers):
            try:
                scorers.append(scorer.resolve(folder))
            except ConfigError as exc:
                found += [_within(problem, at, folder) for problem in exc.problems]
        if spec.policy is not None:
            known: dict[str, ScorerInfo | None] = {scorer.name or scorer.kind: None for scorer in spec.scorers}
            known |= {scorer.info().name: scorer.info() for scorer in scorers}
            found += policy_problems(spec.policy, known, spec.uses())
        return found + _name_problems(scorers)

    spec = load_yaml(file, EvalsetSpec, environment, check)
    task_set = tasks[0] if tasks else None
    return Evalset(file, spec, tuple(_pinned(scorer, task_set) for scorer in scorers), task_set)


def find_evalsets(bench: Workbench) -> list[Evalset]:
    """Load every evalset of a workbench, by name. Raises `ConfigError` with the faults of all of them."""
    root = bench.evalsets
    folders = sorted(p.parent for p in root.glob(f"*/{FILE}"))
    if not folders:
        fix = "write one with `workbench init`"
        raise ConfigError(Problem("NO_EVALSETS", f"no evalset: no folder holds a {FILE}", str(root), fix=fix))
    found: list[Evalset] = []
    problems: list[Problem] = []
    for folder in folders:
        try:
            found.append(load_evalset(folder, bench))
        except ConfigError as exc:
            problems += exc.problems
    if problems:
        raise ConfigError(problems)
    return found


def _own_problems(spec: EvalsetSpec, folder: Path) -> list[Problem]:
    """Return what is wrong with an evalset by itself."""
    found: list[Problem] = []
    if why := outside(folder, spec.samples):
        fix = "name a file inside the evalset's folder"
        found.append(Problem("PATH_OUTSIDE", why, field="samples", got=spec.samples, fix=fix))
    if (spec.use is None) == (spec.split is None):
        what = "neither `use` nor `split` is given" if spec.use is None else "both `use` and `split` are given"
        fix = "give `use: dev` (or train, gate), or `split: {salt: …, train: …, dev: …, gate: …}`"
        found.append(Problem("USE_OR_SPLIT", what, field="" if spec.use is None else "use", fix=fix))
    if spec.name != folder.absolute().name:
        fix = "rename the folder or the evalset"
        found.append(Problem("EVALSET_NAME", "the name is not the folder's", field="name", got=spec.name, fix=fix))
    return found


def _pinned(scorer: Scorer, tasks: TaskSet | None) -> Scorer:
    return scorer.pinned_to(tasks) if isinstance(scorer, LmEval) and tasks is not None else scorer


def _harness_problems(spec: EvalsetSpec) -> list[Problem]:
    """Return what of a harness does not go with the rest."""
    found: list[Problem] = []
    if spec.harness is not None and "samples" in spec.model_fields_set:
        fix = "leave one of them out"
        found.append(Problem("HARNESS", "both `harness` and `samples` are given", field="samples", fix=fix))
    for at, scorer in enumerate(spec.scorers):
        if isinstance(scorer, LmEval) and spec.harness is None:
            fix = "add `harness: {kind: lm_eval, tasks: [...]}`"
            what = "a scorer of lm-eval needs the tasks of a harness"
            found.append(Problem("HARNESS", what, field=f"scorers[{at}].kind", fix=fix))
    return found


def _judge_problems(spec: EvalsetSpec, bench: Workbench | None) -> list[Problem]:
    """Return the judges that workbench.yaml does not have."""
    if bench is None:
        return []
    named = [(at, judge) for at, scorer in enumerate(spec.scorers) for judge in scorer.judges()]
    return [
        unknown_model(judge, bench.config, f"scorers[{at}].judge")
        for at, judge in named
        if judge not in bench.config.models
    ]


def _name_problems(scorers: list[Scorer]) -> list[Problem]:
    """Return the names that two scorers share."""
    names = Counter(scorer.info().name for scorer in scorers)
    fix = "give each scorer a `name` of its own"
    return [
        Problem("DUPLICATE_NAME", "two scorers have one name", field="scorers", got=name, fix=fix)
        for name, n in names.items()
        if n > 1
    ]


def _within(problem: Problem, at: int, folder: Path) -> Problem:
    """Say in which scorer a fault lies that was found without knowing it; a rubric's own faults keep their file."""
    file = "" if problem.file == str(folder) else problem.file
    return replace(problem, file=file, field=f"scorers[{at}].{problem.field}".rstrip("."))
