"""Files in: strict, streaming readers of samples, labels and recorded answers, with bounded memory."""
