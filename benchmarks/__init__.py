"""Speed and memory of whole commands, beside limits that are measured in the same run. Never run as timed tests."""
