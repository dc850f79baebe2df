"""Bytes with names that other machines see, too: a bucket of an object store, or a folder on a shared disk.

Invariant: whoever reads a name has all that was written under it, or nothing. Not for: what the bytes are.
"""
