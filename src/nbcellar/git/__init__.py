"""The only door to git: its processes, what git calls (filter, drivers, hooks), installing them, a notebook's log.

Invariant: nothing that was read from a repository reaches a shell, and no file that git hands over is lost when we
fail.
"""
