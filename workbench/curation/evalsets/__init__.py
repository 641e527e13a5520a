"""Evalsets as curated things: built from what people answered, audited for what they can and cannot tell."""
