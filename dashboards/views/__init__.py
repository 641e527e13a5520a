"""One short file a page; each has `show()`."""
