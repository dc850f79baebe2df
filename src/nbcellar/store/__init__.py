"""Content-addressed objects, refs and the operation log: `interface.py` says what a store promises."""
