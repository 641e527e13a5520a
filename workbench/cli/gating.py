"""What `workbench gate` does: evaluate what is missing, decide, show, write the reports; and how it ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from workbench.cli.running import evaluated, jobs_for
from workbench.cli.show import grid
from workbench.config.workbench_yaml import Workbench
from workbench.errors import ConfigError, Problem
from workbench.evaluation.comparison import Arm
from workbench.gate.decision import GateDecision, Release, RuleRow
from workbench.gate.records import Outcome
from workbench.jobs.gating import Question, decide_release, lacking
from workbench.reports.words import metric_name, number, signed
from workbench.store.files import write_atomic

CODES: dict[Outcome, int] = {"pass": 0, "fail": 1, "inconclusive": 4}
WORDS: dict[Outcome, str] = {"pass": "SHIP", "fail": "DO NOT SHIP", "inconclusive": "NOT ENOUGH EVIDENCE"}

STDOUT = Path("-")


@dataclass(frozen=True)
class Wanted:
    """Where the decision is to go, beyond the terminal."""

    markdown: Path | None
    html: Path | None
    junit: Path | None
    as_json: bool

    page_url: str = ""
    """Address at which the page will be found; empty: beside the Markdown, under its own name."""

    def page(self) -> str:
        """Return where links in the Markdown lead; empty when there is no page to lead to."""
        beside = self.html is not None and self.html != STDOUT
        return self.page_url or (self.html.name if beside and self.html is not None else "")

    def files(self) -> list[Path]:
        """Return the files that were asked for; `-` is the standard output."""
        return [file for file in (self.markdown, self.html, self.junit) if file is not None]


def decide(bench: Workbench, question: Question, wanted: Wanted, *, run_missing: int | None, quiet: bool) -> int:
    """Decide and show; return the exit code. `run_missing`: answers per sample of the runs to make first."""
    _refuse_two_on_stdout(wanted)
    if run_missing is not None:
        if question.run is not None:
            fix = "name a run, or have missing ones made"
            raise ConfigError(Problem("FIELD_VALUE", "--run and --run-missing exclude each other", fix=fix))
        jobs = jobs_for(bench, lacking(bench, question, run_missing), False, quiet)
        _, code = evaluated(bench, jobs, quiet) if jobs else ([], 0)
        if code:
            return code
    release = decide_release(bench, question, datetime.now(UTC))
    _write(release, wanted)
    if wanted.as_json:
        click.echo(release.model_dump_json(indent=2))
    elif STDOUT not in wanted.files():
        show_release(release)
    return CODES[release.decision]


def _write(release: Release, wanted: Wanted) -> None:
    from workbench.reports.as_html import page
    from workbench.reports.as_markdown import markdown
    from workbench.reports.gate import gate_document
    from workbench.reports.junit import gate_junit

    document = gate_document(release)
    if wanted.markdown is not None:
        _put(wanted.markdown, markdown(document, wanted.page()))
    if wanted.html is not None:
        _put(wanted.html, page(document))
    if wanted.junit is not None:
        _put(wanted.junit, gate_junit(release))


def _put(file: Path, text: str) -> None:
    content = text.encode("utf-8", "backslashreplace")
    if file == STDOUT:
        click.echo(content, nl=False)
    else:
        write_atomic(file, content)


def _refuse_two_on_stdout(wanted: Wanted) -> None:
    if wanted.files().count(STDOUT) + wanted.as_json > 1:
        fix = "name a file for all but one"
        raise ConfigError(
            Problem("FIELD_VALUE", "only one of --json, --markdown -, --html -, --junit - is possible", fix=fix)
        )


def show_release(release: Release) -> None:
    """Print each gate's decision and the whole."""
    for gate in release.gates:
        _show(gate)
    click.echo(f"\n{WORDS[release.decision]} ({release.decision}, exit code {CODES[release.decision]})")


def _show(gate: GateDecision) -> None:
    click.echo(f"\n{gate.evalset}: {gate.decision}: {gate.reason}")
    click.echo(f"candidate {_named(gate.candidate)}\nbaseline  {_named(gate.baseline)} '{gate.baseline_name}'")
    if gate.baseline_promoted:
        click.echo(f"          promoted by {gate.baseline_promoted}")
    grid(("rule", "verdict", "estimate", "bound", "limit", "n", "failed", "what"), [_row(row) for row in gate.rows])
    for row in gate.rows:
        click.echo(f"  {row.rule}: {row.verdict}: {row.reason}")
    for account in gate.reconciliation:
        if account.shortfall:
            click.echo(f"  {account.arm} {account.run} {account.metric}: {account.shortfall}")
    for side in (gate.candidate, gate.baseline):
        if side is not None and side.n_asked_again:
            click.echo(f"  {side.model}: {side.n_asked_again} samples that failed at first count as missing")
    for waiver in gate.waivers:
        click.echo(f"  waived until {waiver.until}: {waiver.rule} ({waiver.who}, {waiver.at}: {waiver.why})")
    for look in gate.looks:
        click.echo(f"  looked at before: {look.outcome} on {look.at} with {', '.join(look.runs)}")
    if gate.look > 1:
        click.echo(f"  look {gate.look} at this model on these samples, judged at alpha {gate.alpha:g}")
    for note in gate.notes:
        click.echo(f"  note: {note}")


def _row(row: RuleRow) -> tuple[str, ...]:
    show = signed if row.kind == "margin" else number
    side = ">" if row.passes == "above" else "<"
    what = metric_name(row.what, row.better) + (f", {row.slice}" if row.slice else "")
    bounds = (show(row.estimate), show(row.bound), f"{side} {show(row.limit)}")
    return (row.rule, row.verdict, *bounds, str(row.n), str(row.n_failed), what)


def _named(arm: Arm | None) -> str:
    if arm is None:
        return "none"
    served = f", it called itself {', '.join(arm.served_models)}" if arm.served_models else ""
    return f"{arm.model} ({', '.join(arm.runs)}{served})"
