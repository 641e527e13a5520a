"""Show what a run would call and cost."""

from __future__ import annotations

from collections.abc import Sequence

import click
import orjson

from workbench.cli.show import grid
from workbench.config.workbench_yaml import Workbench
from workbench.jobs.planning import Plan
from workbench.jobs.pricing import estimate, total
from workbench.reports.words import money

NOTE = (
    "An estimate on the high side: nothing from the cache, every answer as long as `max_tokens` allows; prompts are "
    "taken at 4 characters a token, which text in other languages exceeds; retries are not counted. Metrics of ragas "
    "and TruLens that ask about each claim of an answer are priced for five claims. Nothing was called."
)


def show_prices(bench: Workbench, plans: Sequence[Plan], as_json: bool) -> None:
    """Print the estimates of all plans."""
    priced = [(p.spec.evalset, estimate(bench, p)) for p in plans]
    if as_json:
        plain = {name: [e.model_dump(mode="json") for e in estimates] for name, estimates in priced}
        click.echo(orjson.dumps(plain, option=orjson.OPT_INDENT_2).decode())
        return
    rows = [
        (name, e.role, e.model, str(e.calls), str(e.input_tokens), str(e.output_tokens), money(e.cost))
        for name, estimates in priced
        for e in estimates
    ]
    grid(("evalset", "role", "model", "calls", "tokens in", "tokens out", "cost"), rows)
    cost = total(e for _, estimates in priced for e in estimates)
    click.echo(f"Cost: {'about ' + money(cost) if cost is not None else 'unknown, a model has no price'}.\n{NOTE}")
