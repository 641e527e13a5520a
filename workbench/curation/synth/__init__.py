"""Synthesis: what models are asked to write, and which of their texts are kept."""
