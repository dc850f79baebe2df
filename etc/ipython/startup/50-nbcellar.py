# Lets notebook kernels in a folder made by `cellar init` record themselves. Costs a look for that folder elsewhere.
def _cellar_autoload():
    import os

    folder = os.path.dirname(os.path.abspath(os.environ.get("JPY_SESSION_NAME") or "x"))
    while not os.path.isdir(os.path.join(folder, ".cellar")):
        parent = os.path.dirname(folder)
        if parent == folder:
            return
        folder = parent
    try:
        import nbcellar

        nbcellar.autoload(get_ipython())  # noqa: F821 - IPython's own
    except Exception:  # a kernel must start whatever happens here
        pass


try:
    _cellar_autoload()
finally:
    del _cellar_autoload
