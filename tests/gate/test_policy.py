"""The policy that the guide shows is a policy, and the shipped evalset's policy loads."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from workbench.config.evalset_yaml import load_evalset
from workbench.gate.policy import Policy
from workbench.jobs.overruling import rules_of

ROOT = Path(__file__).parents[2]


def test_the_policy_in_the_guide_is_one() -> None:
    guide = (ROOT / "docs" / "gate.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    policy = Policy.model_validate(yaml.safe_load(block)["policy"])
    assert set(Policy.model_fields) == policy.model_fields_set, "the guide shows every key"


def test_every_rule_of_the_help_centre_has_a_name_of_its_own() -> None:
    rules = rules_of(load_evalset(ROOT / "evalsets" / "helpcentre"))
    assert len(rules) == len(set(rules)) == 9
    assert "helpcentre:exact_match[answerable=no].margin" in rules
