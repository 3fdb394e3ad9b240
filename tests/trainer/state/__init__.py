"""Run directories and checkpoints: what survives a crash, and what a resumed run finds."""
