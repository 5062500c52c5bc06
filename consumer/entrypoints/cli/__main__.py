"""`python -m consumer.entrypoints.cli`: the command line."""

from consumer.entrypoints.cli.app import main

main()
