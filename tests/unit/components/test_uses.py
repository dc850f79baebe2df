"""What a cell reads, binds and changes, from its source alone."""

from __future__ import annotations

import pytest

from nbcellar.components.transform import NotPythonError, to_python
from nbcellar.components.uses import uses_of


def names(text: str) -> frozenset[str]:
    return frozenset(text.split())


@pytest.mark.parametrize(
    ("source", "reads", "writes", "changes"),
    [
        ("x = y + 1", "y", "x", ""),
        ("x = 1\ny = x", "", "x y", ""),
        ("y = x\nx = 1", "x", "x y", ""),
        ("x += 1", "x", "x", "x"),
        ("del x", "x", "", ""),
        ("x = 1\ndel x", "", "", ""),
        ("x = []\nx.append(1)\ndel x", "", "", ""),
        ("if y:\n    x = []\nx.append(1)\ndel x", "x y", "", "x"),
        ("x: T", "T", "", ""),
        ("x: T = y", "T y", "x", ""),
        ("(a, *b), c.d = e", "c e", "a b", "c"),
        ("if a:\n    b = 1\nelse:\n    b = 2\nb", "a", "b", ""),
        ("if a:\n    b = 1\nb", "a b", "b", ""),
        ("if a:\n    b = 1\nelse:\n    raise E\nb", "a E", "b", ""),
        ("for i in xs:\n    s = s + i", "xs s", "i s", ""),
        ("while p():\n    q = 1\nq", "p q", "q", ""),
        ("try:\n    a = f()\nexcept E as e:\n    a = e\na", "f E", "a", ""),
        ("try:\n    a = f()\nexcept E:\n    pass\na", "f E a", "a", ""),
        ("with open(p) as f:\n    d = f.read()", "p", "f d", ""),
        ("match v:\n    case [a, *b]:\n        c = a\n    case {'k': d, **e}:\n        c = d", "v", "a b c d e", ""),
        ("[i for i in xs if i > t]", "xs t", "", ""),
        ("[(i, j) for i in xs for j in i]", "xs", "", ""),
        ("{k: v for k, v in d.items()}", "d", "", ""),
        ("[y := f(x), x ** 2]\ny", "f x", "y", ""),
        ("lambda r, k=k0: r * k * q", "k0 q", "", ""),
        ("import a.b as c, d.e", "", "c d", ""),
        ("from m import n as o", "", "o", ""),
        ("class A(B, metaclass=M):\n    k = w\n    j = k", "B M w", "A", ""),
        ("await f(x)", "f x", "", "x"),
        ("print(x)", "x", "", ""),
        ("len(x); display(y)", "x y", "", ""),
        ("x[0] = 1", "x", "", "x"),
        ("x.a.b = 1", "x", "", "x"),
        ("del x[0]", "x", "", "x"),
        ("x.append(1)", "x", "", "x"),
        ("x.head()", "x", "", ""),
        ("y = x.append(1)", "x", "y", ""),
        ("y = x.drop('a', inplace=True)", "x", "y", "x"),
        ("x.drop('a', inplace=False).show()", "x", "", ""),
        ("model.fit(X, y)", "model X y", "", "model"),
        ("train(model, *more)", "train model more", "", "model more"),
        ("random.shuffle(x)", "random x", "", "random x"),
        ("%time y = f(x)", "f x", "y", ""),
        ("%%time\ny = f(x)", "f x", "y", ""),
        ("%%capture\ny = f(x)", "f x", "y", ""),
        ("%%capture --no-stderr seen\ny = f(x)", "f x", "y seen", ""),
        ("%%bash --out text --err said\nls", "", "text said", ""),
        ("files = !ls $folder {name}", "folder name", "files", ""),
        ("!ls", "", "", ""),
        ("%matplotlib inline\nx?", "", "", ""),
        ("%%bash\necho $x", "", "", ""),
        ("", "", "", ""),
        ("# nothing", "", "", ""),
    ],
)
def test_names_of_a_cell(source: str, reads: str, writes: str, changes: str) -> None:
    found = uses_of(source)
    assert (found.reads, found.writes, found.changes) == (names(reads), names(writes), names(changes))
    assert frozenset(found.binds) == found.writes


@pytest.mark.parametrize(
    ("source", "needs", "reads"),
    [
        ("def f(a, b=c):\n    return [a * z for z in range(n)] + g(a)", {"f": "n g"}, "c"),
        ("def f():\n    global q\n    q = 1", {"f": "q"}, ""),
        ("def f():\n    return q\nf()", {"f": "q"}, "q"),
        ("def f():\n    def inner():\n        return q\n    return inner", {"f": "q"}, ""),
        ("def f(n):\n    return f(n - 1)", {"f": ""}, ""),
        (
            "class A:\n    def m(self):\n        return u\n    @property\n    def p(self):\n        return v",
            {"A": "u v"},
            "",
        ),
        ("@cache\ndef f():\n    return q", {"f": "q"}, "cache"),
        ("async def f():\n    return q", {"f": "q"}, ""),
        ("q = 1\ndef f():\n    return q\nf()", {"f": "q"}, ""),
        ("def f():\n    return g()\ndef g():\n    return q\nf()", {"f": "g", "g": "q"}, "q"),
    ],
)
def test_what_a_function_needs_is_taken_when_it_is_called(source: str, needs: dict[str, str], reads: str) -> None:
    found = uses_of(source)
    assert found.needs == {name: names(needed) for name, needed in needs.items()}
    assert found.reads == names(reads)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("from numpy import *", "from numpy import *"),
        ("exec('x = 1')", "exec"),
        ("globals()['x'] = 1", "globals()"),
        ("%run other.py", "uses %run"),
        ("get_ipython().user_ns['x'] = 1", "uses get_ipython"),
    ],
)
def test_what_cannot_be_seen_is_said(source: str, said: str) -> None:
    assert any(said in reason for reason in uses_of(source).unseen)
    assert not uses_of("def exec(x): pass\nexec(1)").unseen


@pytest.mark.parametrize(("source", "line"), [("x = = 1", 1), ("a = 1\n\ndef f(:\n", 3), ("%time x\nif\n", 2)])
def test_what_nobody_can_run_is_refused_with_its_line(source: str, line: int) -> None:
    with pytest.raises(NotPythonError) as caught:
        uses_of(source)
    assert caught.value.line == line


def test_magics_in_strings_are_text_and_lines_keep_their_numbers() -> None:
    source = 's = """\n%no magic\n!none\n"""\n%load_ext x\ny = 2\n!echo a \\\n  b\nz = 3'
    made = to_python(source)
    assert made.split("\n")[:4] == source.split("\n")[:4]
    assert made.split("\n")[5] == "y = 2"
    assert made.split("\n")[8] == "z = 3"
    assert uses_of(source).writes == {"s", "y", "z"}
