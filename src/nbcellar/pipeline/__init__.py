"""Running a pipeline: which components have to run and why, cache keys, workers, executors.

Not for: what a pipeline is (`components/`).
"""
