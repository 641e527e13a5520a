"""Training, as far as it needs no torch: what is asked, what it will cost, what is learnt, what was measured."""
