"""The demo: a fictional help centre and two tiny models that are made for it."""
