"""The report: one page, complete, safe to open."""
