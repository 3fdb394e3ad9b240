"""The analyses: against brute force, on handmade data, and from end to end on a tiny run."""
