"""The ``azr-executor`` command: one module per subcommand."""
