"""From rewards to an update: advantage estimators, the policy loss and its variants.

Pure functions on records and flat tensors: nothing here knows of models, batches in flight or
devices, so that every equation can be checked by hand.
"""
