"""The result cache: results of runs that were found deterministic are not computed again."""
