"""Several processes that train one policy: who they are, what they share, how weights are cut."""
