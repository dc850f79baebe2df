"""The command line: one file a command, over the functions of `nbcellar.api`.

Invariant: nothing imports this package but the entry point and the `%cellar` magic, and a command's module is imported
only when that command runs: `cellar --version` and completions stay fast.
"""
