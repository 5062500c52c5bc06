"""The commands of `swoogo-sync`: `app` has the tree, and each command is a function in a module of its own.

A command that shows something reads and makes a document (plain dataclasses, what `--json` prints), then renders that
document for people. So both say the same. It returns its exit code (`exit_codes`), and errors of ours become one there.
"""
