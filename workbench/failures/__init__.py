"""Error analysis: which answers fail, what people say of them, what the causes are, and what became of each."""
