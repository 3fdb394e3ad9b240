"""What ``azr-executor bench`` measures: real data, speed, and verdicts under overload.

Nothing here is needed to serve. ``records`` and ``mix`` say what is run, ``data``, ``canonical``,
``speed`` and ``overload`` run it and count, ``report`` prints it. No figure is written down
anywhere: each one is measured in the run that shows it.
"""
