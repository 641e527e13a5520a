"""What `workbench doctor` looks at: nothing is changed, no secret is shown, nobody is asked for more than a list."""
