"""What an operator sees of a service: Prometheus metrics, its own and its workers'.

The parts of a service keep plain numbers and know nothing of this package; it reads them when
somebody asks (``collectors``, ``leaks``). Only what has to be noted as it happens, durations and
endings, goes through an instrument (``operations``, ``runs``, ``requests``).
"""
