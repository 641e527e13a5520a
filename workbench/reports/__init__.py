"""Pages about runs, comparisons and gates: one document, shown as Markdown, HTML or JUnit XML."""
