"""The configuration: what loads, and what is refused in which words."""
