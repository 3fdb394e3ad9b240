"""Sharing the sandboxes between requests: fair between clients, bounded, aware of deadlines."""
