"""One list of behaviours, run against every backend."""
