"""Long work from configuration: build what the YAML names, run it, close it."""
