"""The pages of the workbench: thin views over saved values. Started by `workbench dashboards`."""
