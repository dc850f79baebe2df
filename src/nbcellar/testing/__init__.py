"""A plugin for pytest: notebooks are run, and what their cells show is compared with what is stored.

Invariant: who does not ask for notebooks pays for the names of some options; a notebook file is written by
`--notebooks-update` alone.
"""
