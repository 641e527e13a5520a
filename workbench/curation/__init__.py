"""From labels, logs and files to data sets one can defend: duplicates, quality, splits, pairs."""
