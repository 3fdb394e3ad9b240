"""The endpoints that existing trainers speak to already, one module per peer.

Requests, answers and statuses are the peers' own (design/API.md, "Drop-in endpoints"), fields that
they do not know are ignored as they ignore them, and everything behind is what the other endpoints
have: keys, rate limits, queue, metrics and sandboxes. What a script prints is data. Where a peer
compares it with an expected output, that happens outside the sandbox, after the script is dead.
"""
