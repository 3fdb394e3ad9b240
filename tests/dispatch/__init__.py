"""The dispatcher and its backlog."""
