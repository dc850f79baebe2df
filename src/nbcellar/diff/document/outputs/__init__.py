"""Comparing outputs by MIME type: one file for each kind of content, found through `registry.py`."""
