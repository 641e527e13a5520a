"""`workbench train sweep`: trials are told apart on some families and the winner is confirmed on others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.cli.conftest import Command
from tests.evaluation.made import made
from workbench.config.sweep_yaml import SweepSpec, load_sweep, trials
from workbench.config.workbench_yaml import load_workbench
from workbench.datasets import split_of
from workbench.errors import ConfigError, LeakageError
from workbench.jobs.sweep import HALVES, Sweep, Sweeping, chosen, confirmed

RECIPE = "name: tone\nbase: base\ndataset: chats@abcdef\nmethod: {kind: sft}\nadapter: {kind: lora, rank: 8}\n"
N = 80


@pytest.fixture
def sweeping(workbench: Command) -> Sweeping:
    Path("recipe.yaml").write_text(RECIPE)
    Path("sweep.yaml").write_text("recipe: recipe.yaml\nranks: [8, 16]\nlearning_rates: [1e-4, 2e-4]\nevalset: first\n")
    return Sweeping(load_workbench(Path("workbench.yaml")), *load_sweep(Path("sweep.yaml")))


def test_the_recipe_is_the_first_trial_and_every_other_pair_comes_once(sweeping: Sweeping) -> None:
    found = [(name, spec.adapter.model_dump()["rank"], spec.rate()) for name, spec in sweeping.wanted().items()]
    assert found == [
        ("tone", 8, 2e-4), ("tone-r8-lr0.0001", 8, 1e-4), ("tone-r16-lr0.0001", 16, 1e-4),
        ("tone-r16-lr0.0002", 16, 2e-4),
    ]  # fmt: skip


def test_a_sweep_that_varies_nothing_or_confirms_by_what_chose_is_refused() -> None:
    with pytest.raises(ValidationError, match="nothing to choose from"):
        SweepSpec(recipe="r.yaml", evalset="first")
    with pytest.raises(ValidationError, match="the evalset that chooses"):
        SweepSpec(recipe="r.yaml", evalset="first", ranks=(4,), confirm="first")


def test_ranks_of_a_recipe_without_an_adapter_are_refused(sweeping: Sweeping) -> None:
    recipe = sweeping.recipe.model_validate({**sweeping.recipe.model_dump(), "adapter": {"kind": "none"}})
    with pytest.raises(ConfigError, match="NO_RANK"):
        Sweeping(sweeping.bench, sweeping.spec, recipe).wanted()
    assert trials(sweeping.spec.model_copy(update={"ranks": ()}), recipe).keys() == {
        "tone",
        "tone-lr0.0001",
        "tone-lr0.0002",
    }


def test_the_winner_is_chosen_by_half_of_the_families_and_confirmed_by_the_other_half(
    sweeping: Sweeping, tmp_path: Path
) -> None:
    def scores(choosing: float, confirming: float) -> dict[str, list[float]]:
        found = {}
        for i in range(N):
            good = choosing if split_of(f"s{i}", HALVES) == "dev" else confirming
            found[f"s{i}"] = [float((i * 7919) % 100 < good * 100)]
        return found

    names = list(sweeping.wanted())
    shares = {names[0]: (0.3, 0.3), names[1]: (0.2, 1.0), names[2]: (0.6, 0.3), names[3]: (0.5, 0.9)}
    runs = {name: made(tmp_path, scores(*share), model=f"m{i}") for i, (name, share) in enumerate(shares.items())}
    sweep = chosen(sweeping, runs)
    assert sweep.winner == names[2], "what the other half says must not choose"
    assert all(0 < trial.n < N for trial in sweep.trials)
    lucky = confirmed(sweep, runs[names[0]], runs[names[2]])
    assert lucky.holds is False
    assert lucky.confirmation is not None and lucky.confirmation.n == N - sweep.trials[0].n
    assert confirmed(sweep, runs[names[0]], runs[names[3]]).holds is True
    assert Sweep.model_validate_json(sweeping.write(lucky).json_bytes()) == lucky
    assert json.loads(sweeping.file.read_text())["winner"] == names[2]


def test_samples_that_choose_cannot_confirm(sweeping: Sweeping) -> None:
    other = Path("evalsets/other")
    other.mkdir()
    (other / "evalset.yaml").write_text(
        Path("evalsets/first/evalset.yaml").read_text().replace("name: first", "name: other")
    )
    (other / "samples.jsonl").write_bytes(Path("evalsets/first/samples.jsonl").read_bytes())
    spec = sweeping.spec.model_copy(update={"confirm": "other"})
    with pytest.raises(LeakageError, match="CONFIRM_SEEN"):
        Sweeping(sweeping.bench, spec, sweeping.recipe).check()
