# Lets notebook kernels in a folder made by `cellar init` record themselves; elsewhere it costs a look for that folder.
try:
    __import__("nbcellar").autoload(get_ipython())  # noqa: F821 - IPython's own
except Exception:  # a kernel must start whatever happens here
    pass
