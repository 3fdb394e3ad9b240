"""Who may use the service: keys, what a browser may not do without them, and how fast.

Everything here comes before a byte of a request's body is read.
"""
