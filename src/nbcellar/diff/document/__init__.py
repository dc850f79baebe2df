"""Notebooks compared as documents: which cells correspond, what changed in them, and diffs that can be applied.

Invariant: `patch(a, diff(a, b)) == b` for any two notebooks. Pure: reads no file and starts no process.
"""
