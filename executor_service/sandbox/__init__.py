"""Running one untrusted program in one throw-away process, and nothing else.

``runner`` is the code inside a sandbox; ``backend``, ``bubblewrap`` and ``docker`` launch it and
hand over a byte stream; ``connection`` speaks the protocol on that stream; ``pool`` keeps warm
sandboxes. Nothing here knows what a verdict is.
"""
