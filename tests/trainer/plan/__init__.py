"""The budget of memory and time."""
