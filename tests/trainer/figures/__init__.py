"""The figures on the demo model: what is read from numbers, and the whole cut short."""
