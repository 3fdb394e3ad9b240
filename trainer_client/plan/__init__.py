"""Whether a run fits its GPUs and how long its steps must take at least, by arithmetic alone."""
