"""A run on disk: its directory, its checkpoints, and what a resumed run takes up again."""
