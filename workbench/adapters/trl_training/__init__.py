"""TRL trains: a recipe and rows in tokens become a trainer of TRL's; what it does is watched, saved and stopped here.

`training.py` is the whole flow on one page; `model.py` and `arguments.py` say what TRL is given, `watching.py` what is
ours beside it, `references.py` keeps DPO's reference, `logits.py` spares work on a CPU.
"""

from __future__ import annotations

from workbench.adapters.trl_training.training import Task, Trained, refuse_what_cannot_run, train

__all__ = ["Task", "Trained", "refuse_what_cannot_run", "train"]
