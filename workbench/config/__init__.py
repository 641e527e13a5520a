"""YAML in: `workbench.yaml` and `evalset.yaml` as checked nouns, every fault with its file, line and field."""
