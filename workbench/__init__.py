"""An evaluation and data-curation workbench: a gate's number can be traced to the people who labelled.

Importing this package does nothing: no threads, no environment changes, no network, no heavy SDK.
"""

__version__ = "0.1.0"
