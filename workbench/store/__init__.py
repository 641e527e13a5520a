"""Files in and out: the home folder, the run's journal and tables, the lock, the response cache."""
