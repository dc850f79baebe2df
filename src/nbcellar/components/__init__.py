"""Pipelines as notebooks hold them: components, what each reads and writes, the edges between them.

Nothing here runs code of a notebook.
"""
