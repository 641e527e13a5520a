"""Decide a release: a policy, the evidence of finished runs, a verdict a rule, and who overruled what: docs/gate.md."""
