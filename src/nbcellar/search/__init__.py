"""Finding text in a history, and the versions of one variable: from the store alone, nothing is unpickled.

Invariant: nothing derived is kept on disk, so nothing that was forgotten can survive in an index (decision 0016).
"""
