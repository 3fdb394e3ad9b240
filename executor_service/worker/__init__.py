"""A worker: takes chunks from the queue and carries them out in its own warm sandboxes."""
