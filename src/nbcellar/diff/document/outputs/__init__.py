"""How two outputs of a cell are compared, by MIME type: `registry` is the way in, `model` what is found.

Invariant: equal outputs give nothing; others something, and what is only noise says so. Whatever the outputs hold, a
comparison ends, in a time that their size bounds, and raises nothing. Pure, but for the entry points that `plugins`
looks for. Not for: which outputs of two cells correspond, drawing what is found.
"""
