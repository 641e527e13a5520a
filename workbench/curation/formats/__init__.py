"""Formats that datasets come in and go out in: one short file each, all of them in `table.py`."""
