"""What looks like a password, key or token in what is recorded.

Invariant: nothing that leaves this folder towards a person holds a secret itself: only its kind, its first and last
letters and a fingerprint.
"""
