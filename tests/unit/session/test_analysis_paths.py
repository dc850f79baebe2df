"""Each way by which a cell can set off code that it does not name: one line a way, `setup#cell`."""

from __future__ import annotations

import builtins
from typing import Any

import pytest

from nbcellar.session.touched.analysis import touched_names

PATHS = {
    "a metaclass": "class M(type):\n def __call__(c): hit()\nclass A(metaclass=M): pass\n#A()",
    "a metaclass of an instance": "class M(type):\n def go(c): hit()\nclass A(metaclass=M): pass\na = A(); del A\n#type(a).go()",
    "a base class": "class B:\n def go(s): hit()\nclass A(B): pass\na = A(); del B\n#a.go()",
    "a property": "class A:\n @property\n def p(s): hit()\na = A()\n#a.p",
    "a cached property": "import functools\nclass A:\n @functools.cached_property\n def p(s): hit()\na = A()\n#a.p",
    "a class method": "class A:\n @classmethod\n def c(k): hit()\na = A()\n#a.c()",
    "a static method": "class A:\n @staticmethod\n def c(): hit()\na = A()\n#a.c()",
    "a descriptor": "class D:\n def __get__(s, *a): hit()\nclass A: d = D()\na = A()\n#a.d",
    "a finaliser": "class A:\n def __del__(s): hit()\na = A()\n#a = 1",
    "a finaliser in a list": "class A:\n def __del__(s): hit()\na = [A()]\n#a.clear()",
    "a subclass hook": "class A:\n def __init_subclass__(c): hit()\n#class B(A): pass",
    "a subscript of a class": "class A:\n def __class_getitem__(c, i): hit()\n#A[1]",
    "a nested class": "class A:\n class N:\n  def go(s): hit()\n#A.N().go()",
    "slots": "class A:\n __slots__ = ('f',)\na = A(); a.f = hit\n#a.f()",
    "an instance's dictionary": "class A: pass\na = A(); a.f = hit\n#a.f()",
    "an empty class in plain rows": "class E:\n __slots__ = ()\n def __add__(s, o): hit()\nrows = [{'e': E()} for _ in range(50)]\n"
    "import gc; gc.collect()\n#rows[0]['e'] + 1",
    "a bound method": "class A:\n def go(s): hit()\nm = A().go; del A\n#m()",
    "the owner of a builtin method": "get = {'f': hit}.get\n#get('f')()",
    "a closure": "def make(f):\n return lambda: f()\nw = make(hit)\n#w()",
    "a closure in a library": "import functools\ndef d(f):\n @functools.wraps(f)\n def w(): return f()\n return w\nw = d(hit)\n#w()",
    "a default": "def f(g=hit): g()\n#f()",
    "a keyword default": "def f(*, g=hit): g()\n#f()",
    "an attribute of a function": "def f(): f.g()\nf.g = hit\n#f()",
    "a partial": "import functools\np = functools.partial(map, lambda i: hit())\n#list(p([1]))",
    "a cache": "import functools\nc = functools.lru_cache(None)(lambda: hit())\n#c()",
    "single dispatch": "import functools\n@functools.singledispatch\ndef f(v): pass\nf.register(int, lambda v: hit())\n#f(1)",
    "a context manager": "import contextlib\n@contextlib.contextmanager\ndef cm():\n hit(); yield\n#with cm(): pass",
    "an exit stack": "import contextlib\ne = contextlib.ExitStack(); e.callback(lambda: hit())\n#e.close()",
    "a generator": "def g():\n hit(); yield\ni = g()\n#next(i)",
    "a generator's variables": "def g(f):\n f(); yield\ni = g(lambda: hit())\n#next(i)",
    "a started generator's variables": "def g(f):\n yield; f(); yield\ni = g(lambda: hit()); next(i)\n#next(i)",
    "a delegated generator": "def a():\n yield\n hit()\n yield\ndef b():\n yield from a()\ni = b(); next(i); del a\n#next(i)",
    "a generator expression": "i = (hit() for _ in [1])\n#next(i)",
    "map": "i = map(lambda v: hit(), [1])\n#next(i)",
    "filter and chain": "import itertools\ni = itertools.chain(filter(lambda v: hit(), [1]))\n#list(i)",
    "a callable iterator": "i = iter(lambda: hit(), None)\n#next(i, 0)",
    "a default dictionary": "import collections\nd = collections.defaultdict(lambda: hit())\n#d[1]",
    "an ordered dictionary": "import collections\nd = collections.OrderedDict(a=lambda: hit())\n#d['a']()",
    "a deque": "import collections\nd = collections.deque([lambda: hit()])\n#d[0]()",
    "a named tuple": "import collections\nt = collections.namedtuple('T', 'f')(lambda: hit())\n#t.f()",
    "a simple namespace": "import types\nt = types.SimpleNamespace(f=lambda: hit())\n#t.f()",
    "a mapping proxy": "import types\nt = types.MappingProxyType({'f': lambda: hit()})\n#t['f']()",
    "the keys of a dictionary": "class K:\n def __hash__(s): return 1\n def __eq__(s, o): hit(); return True\nd = {K(): 1, 2: 3}; del K\n#1 in d",
    "a set": "class K:\n def __hash__(s): return 1\n def __eq__(s, o): hit(); return True\nd = {K()}; del K\n#1 in d",
    "a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass A:\n v: int = dataclasses.field(default_factory=lambda: hit())\n#A()",
    "an enum": "import enum\nclass E(enum.Enum):\n A = 1\n def go(s): hit()\n#E.A.go()",
    "an enum's member alone": "import enum\nclass E(enum.Enum):\n A = 1\n def go(s): hit()\nm = E.A; del E\n#m.go()",
    "an abstract class": "import abc\nclass A(abc.ABC):\n @abc.abstractmethod\n def go(s): hit()\nclass B(A):\n def go(s): super().go()\nb = B(); del A, B\n#b.go()",
    "a generic class": "import typing\nT = typing.TypeVar('T')\nclass A(typing.Generic[T]):\n def go(s): hit()\nalias = A[int]; del A\n#alias().go()",
    "a user dictionary": "import collections\nclass D(collections.UserDict):\n def __missing__(s, k): hit()\nd = D(); del D\n#d[1]",
    "a subclass of list": "class L(list):\n def __getitem__(s, i): hit()\nx = L(); del L\n#x[0]",
    "what a subclass of list holds": "class L(list): pass\nx = L([lambda: hit()])\n#x[0]()",
    "a subclass of int": "class I(int):\n def __add__(s, o): hit()\nx = I(1); del I\n#x + 1",
    "an exception": "e = ValueError(lambda: hit())\n#e.args[0]()",
    "a queue": "import queue\nq = queue.Queue(); q.put(lambda: hit())\n#q.get()()",
    "a context variable": "import contextvars\nv = contextvars.ContextVar('v'); v.set(lambda: hit())\n#v.get()()",
    "a thread's local": "import threading\nv = threading.local(); v.f = lambda: hit()\n#v.f()",
    "a key function": "import functools\nk = functools.cmp_to_key(lambda a, b: hit() or 0)\n#sorted([1, 2], key=k)",
    "a library's wrapper": "import numpy as np\nv = np.vectorize(lambda i: hit() or 1)\n#v([1])",
    "a library's ufunc": "import numpy as np\nv = np.frompyfunc(lambda i: hit() or 1, 1, 1)\n#v([1])",
    "a library's estimator": "from sklearn.preprocessing import FunctionTransformer\nt = FunctionTransformer(lambda v: hit() or v)\n#t.transform([[1]])",
    "a library's pipeline": "from sklearn.pipeline import Pipeline\nfrom sklearn.base import BaseEstimator\nclass S(BaseEstimator):\n"
    " def fit(s, X, y=None): hit(); return s\np = Pipeline([('s', S())]); del S\n#p.fit([[1]])",
    "a log handler": "import logging\nclass H(logging.Handler):\n def emit(s, r): hit()\nlog = logging.Logger('x'); log.addHandler(H()); del H\n#log.error('x')",
    "a file around an object": "import io\nclass R(io.RawIOBase):\n def readable(s): return True\n def readinto(s, b): hit(); return 0\n"
    "f = io.BufferedReader(R()); del R\n#f.read()",
    "a redefined library class": "import json\nclass J(json.JSONEncoder):\n def default(s, o): hit(); return 1\n#json.dumps(object(), cls=J)",
    "a comparison during a sort": "class K:\n def __lt__(s, o): hit(); return True\nks = [K(), K()]; del K\n#ks.sort()",
    "an expression for pandas": "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\nf = lambda v: hit() or v\n#df.query('@f(a) > 0', engine='python')",
    "an expression in a variable": "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\nf = lambda v: hit() or v\nq = '@f(a) > 0'\n#df.query(q, engine='python')",
    "an expression of pandas alone": "import pandas as pd\nclass A:\n @property\n def p(s): hit(); return 1\na = A()\n#pd.eval('a.p + 1', engine='python')",
    "another namespace": "own = {'hit': hit, '__name__': '__main__'}; exec('def f(): hit()', own); f = own['f']; del own\n#f()",
    "a namespace without a name": "own = {'hit': hit}; exec('def f(): hit()', own); f = own['f']; del own\n#f()",
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids=list(PATHS))
def test_a_variable_is_reached_through(path: str) -> None:
    setup, _, cell = PATHS[path].partition("#")
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins, "target": []}
    exec("def hit(): target.append(1)", namespace)
    exec(setup, namespace)
    namespace["target"].clear()

    touch = touched_names(None, cell, namespace)
    exec(cell, namespace)

    assert namespace["target"], "the cell was to change it"
    assert not touch.everything, touch.reason
    assert "target" in touch.names
