"""YAML tasks of lm-eval: data are taken, code in any form is refused with file and line, before lm-eval is loaded."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workbench.config.evalset_yaml import load_evalset
from workbench.errors import ConfigError

TASK = """\
task: mine
dataset_path: json
dataset_kwargs: {data_files: {test: data.jsonl}}
output_type: generate_until
test_split: test
doc_to_text: "{{question}}"
doc_to_target: answer
metric_list: [{metric: exact_match, aggregation: mean, higher_is_better: true}]
"""
EVALSET = """\
name: e
version: "1"
use: dev
harness: {kind: lm_eval, tasks: [tasks/mine.yaml]}
scorers: [{kind: lm_eval, task: mine, metric: exact_match}]
"""


def written(folder: Path, task: str = TASK, evalset: str = EVALSET) -> Path:
    home = folder / "e"
    (home / "tasks").mkdir(parents=True)
    (home / "data.jsonl").write_text('{"question": "1+1?", "answer": "2"}\n')
    (home / "tasks" / "mine.yaml").write_text(task)
    (home / "evalset.yaml").write_text(evalset)
    return home


def test_a_task_of_data_is_taken_and_its_scorer_is_named_and_pinned(tmp_path: Path) -> None:
    found = load_evalset(written(tmp_path))
    info = found.scorers[0].info()
    assert info.name == "lm-eval:mine:exact_match" and info.version.startswith("1+lm-eval-0.4.")
    assert found.tasks is not None and found.tasks.files[0]["dataset_kwargs"]["data_files"]["test"].endswith(
        "data.jsonl"
    )


def test_a_scorers_version_follows_the_tasks_text_and_data_but_not_their_place(tmp_path: Path) -> None:
    first = load_evalset(written(tmp_path / "a")).scorers[0].info().version
    assert load_evalset(written(tmp_path / "b")).scorers[0].info().version == first
    reworded = load_evalset(written(tmp_path / "c", TASK.replace("{{question}}", "Q: {{question}}")))
    assert reworded.scorers[0].info().version != first
    home = written(tmp_path / "d")
    (home / "data.jsonl").write_text('{"question": "2+2?", "answer": "4"}\n')
    assert load_evalset(home).scorers[0].info().version != first


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ("process_results: !function metrics.score", "process_results"),
        ("class: !function task.Mine", "class"),
        ("class: os.system", "class"),
        ("include: ../../../etc/other.yaml", "include"),
        ("process_docs: utils.process", "process_docs"),
        ("custom_dataset: utils.load", "custom_dataset"),
        ("use_prompt: promptsource:*", "use_prompt"),
        ("unsafe_code: true", "unsafe_code"),
        ("generation_kwargs: {custom_generate: someone/code}", "generation_kwargs.custom_generate"),
        ("filter_list: [{name: f, filter: [{function: custom, filter_fn: os.system}]}]", "filter_list"),
        ("fewshot_config: {sampler: default, process_docs: utils.f}", "fewshot_config.process_docs"),
    ],
)
def test_what_would_run_code_is_refused_with_its_line(tmp_path: Path, line: str, field: str) -> None:
    home = written(tmp_path, TASK + line + "\n")
    with pytest.raises(ConfigError) as caught:
        load_evalset(home)
    faults = caught.value.problems
    assert any(fault.field.startswith(field) and fault.line == TASK.count("\n") + 1 for fault in faults), faults


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dataset_path: json", "dataset_path: someone/data"),
        ("test: data.jsonl", "test: ../data.jsonl"),
        ("test: data.jsonl", "test: 'https://example.com/data.jsonl'"),
        ("test: data.jsonl", "test: missing.jsonl"),
        ("{metric: exact_match,", "{metric: code_eval,"),
        ("{metric: exact_match,", "{metric: exact_match, hf_evaluate: true,"),
        ("generate_until", "loglikelihood_rolling"),
        ("test_split: test\n", ""),
    ],
)
def test_data_and_metrics_of_the_hub_and_files_elsewhere_are_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in TASK
    with pytest.raises(ConfigError):
        load_evalset(written(tmp_path, TASK.replace(old, new)))


def test_a_harness_goes_with_neither_samples_nor_absence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="both `harness` and `samples`"):
        load_evalset(written(tmp_path / "a", evalset=EVALSET + "samples: samples.jsonl\n"))
    with pytest.raises(ConfigError, match="needs the tasks of a harness"):
        load_evalset(written(tmp_path / "b", evalset=EVALSET.replace("harness", "# harness")))


def test_loading_an_evalset_does_not_load_lm_eval(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib\nfrom workbench.config.evalset_yaml import load_evalset\n"
        f"load_evalset(pathlib.Path({str(written(tmp_path))!r}))\nsys.exit('lm_eval' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
