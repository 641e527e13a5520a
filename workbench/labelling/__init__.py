"""From records to labels one can trust: templates, agreement, what to label next, how conflicts are resolved."""
