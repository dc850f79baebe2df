"""What a cell sets or registers for its process, seen by components that run in another one."""

from __future__ import annotations

from .support import Notebook, printed

SETS = """
import csv, gc, locale, os, socket, sys, time
gc.disable(); gc.set_threshold(123)
sys.setswitchinterval(0.02)
limit = csv.field_size_limit(200_000)
set_to = locale.setlocale(locale.LC_NUMERIC, 'C.UTF-8')
before = os.umask(0o077)
socket.setdefaulttimeout(3)
os.environ['TZ'] = 'Asia/Tokyo'; time.tzset()
"""
SHOWS = """
import csv, gc, locale, os, socket, sys, time
print(gc.isenabled(), gc.get_threshold()[0], sys.getswitchinterval(), csv.field_size_limit())
print(socket.getdefaulttimeout(), locale.setlocale(locale.LC_NUMERIC), time.tzname[0])
n = open('ma' + 'de', 'w').close(); print(oct(os.stat('ma' + 'de').st_mode))
"""
REGISTERS = """
import codecs, copyreg, csv, decimal, fractions, mimetypes, pandas as pd, signal, sys
codecs.register(lambda name: codecs.lookup('utf-8') if name == 'mine_q' else None)
codecs.register_error('mine', lambda error: ('?', error.end))
copyreg.pickle(fractions.Fraction, lambda value: (fractions.Fraction, (9,)))
csv.register_dialect('mine', delimiter='|')
decimal.DefaultContext.prec = 4
mimetypes.add_type('text/qq', '.qq')
old = signal.signal(signal.SIGUSR1, lambda *values: print('got'))
@pd.api.extensions.register_series_accessor('mineq')
class Mine:
    def __init__(self, series): self.series = series
    def five(self): return 5
"""
LOOKS = """
import copy, copyreg, csv, decimal, fractions, mimetypes, os, pandas as pd, signal
print('a'.encode('mine_q'), 'ä'.encode('ascii', 'mine'), 'mine' in csv.list_dialects(), decimal.DefaultContext.prec)
print(fractions.Fraction in copyreg.dispatch_table, mimetypes.guess_type('a.qq')[0], pd.Series([1]).mineq.five())
os.kill(os.getpid(), signal.SIGUSR1)
"""
OWN = """
import abc, atexit, collections.abc, copyreg, logging, resource, weakref
class A: pass
a = A()
done = weakref.finalize(a, print, 'gone')
copyreg.pickle(A, lambda a: (A, ()))
registered = collections.abc.Sized.register(A)
at_end = atexit.register(print, 'end')
logging.getLogger('q').addHandler(logging.StreamHandler())
soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
resource.setrlimit(resource.RLIMIT_CORE, (0, hard)) if soft else resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
"""


def shown_in_another_process(nb: Notebook, first: str, second: str) -> str:
    """Return what a component prints that runs where the one before it did not."""
    nb.write(first, second).run(executor="serial")
    nb.write(first, second + "more = 1\n")
    done = nb.run(executor="serial")
    assert [step.state for step in done.steps] == ["cached", "done"]
    return printed(done, "b")


def test_plain_settings_of_a_process_hold_for_those_after(nb: Notebook) -> None:
    assert shown_in_another_process(nb, SETS, SHOWS) == "False 123 0.02 200000\n3.0 C.UTF-8 JST\n0o100600\n"


def test_what_is_registered_with_python_is_there_for_those_after(nb: Notebook) -> None:
    assert shown_in_another_process(nb, REGISTERS, LOOKS) == "b'a' b'?' True 4\nTrue text/qq 5\ngot\n"


def test_what_is_registered_for_objects_of_a_cell_is_told(nb: Notebook) -> None:
    done = nb.write("x = 1", OWN).run(executor="serial")
    assert done.steps[0].notes == []
    notes = "\n".join(done.steps[1].notes)
    for told in (
        "(weakref.finalize)",
        "copyreg for a class of the notebook",
        "(abc)",
        "(atexit)",
        "handlers of loggers",
    ):
        assert told in notes


def test_what_libraries_register_when_they_are_imported_is_no_matter_of_the_cell(nb: Notebook) -> None:
    done = nb.write("import pandas, sqlite3, logging, concurrent.futures, multiprocessing.pool").run(executor="serial")
    assert done.steps[0].notes == []
    nb.write("import pandas, sqlite3, logging, concurrent.futures, multiprocessing.pool", "x = 1")
    assert nb.ran(executor="serial") == "b"


def test_a_setting_is_that_of_a_new_process_for_those_before(nb: Notebook) -> None:
    nb.write("import gc; print(gc.isenabled())", "import gc; gc.disable()").run()
    for n in range(3):
        nb.write(f"import gc; print(gc.isenabled()); n = {n}", "import gc; gc.disable()")
        assert printed(nb.run(), "a") == "True\n"
        nb.run("b", again=True)
