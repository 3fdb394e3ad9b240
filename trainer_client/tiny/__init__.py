"""A language small enough to learn on two CPU cores: the demo's model, tasks and measurements."""
