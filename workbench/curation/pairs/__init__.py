"""Preference pairs and conversations made of what people and judges said, and what is wrong with them."""
