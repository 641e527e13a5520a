"""lm-eval: its tasks by name or from YAML give an evalset its samples; its filters and metrics score the answers."""
