"""Values and what they share: aliases, views, cycles, random streams, objects that must stay the same."""

from __future__ import annotations

import pytest

from .support import Kernel, values_of


def test_aliases_are_aliases_again(kernel: Kernel) -> None:
    kernel.comes_back(
        "a = [1, 2]\nb = a\nd = {'a': a, 'again': a}\npair = (a, d)",
        "a.append(3)",
        "a is b and d['a'] is a and d['again'] is a and pair[0] is a and pair[1] is d",
        "a == [1, 2]",
    )
    kernel.run("b.append(9)")
    kernel.is_true("d['a'] == [1, 2, 9]")


def test_variables_that_stop_sharing_and_begin_again(kernel: Kernel) -> None:
    kernel.run("a = [1]\nb = a", "b = [1]", "b = a\nb.append(2)")
    kernel.is_true("a is b")
    kernel.undo()
    kernel.is_true("a is not b", "a == b == [1]")
    kernel.undo()
    kernel.is_true("a is b", "a == [1]")
    kernel.redo(2)
    kernel.is_true("a is b", "a == [1, 2]")


def test_cyclic_data_comes_back_cyclic(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            a = [1]
            a.append(a)
            class Node:
                pass
            n = Node()
            m = Node()
            n.next, m.next = m, n
            d = {}
            d['self'] = d
            """,
        "a.append(2)\nn.extra = 1\nd['b'] = 1",
        "a[1] is a and len(a) == 2",
        "n.next is m and m.next is n and not hasattr(n, 'extra')",
        "d['self'] is d and len(d) == 1",
    )


def test_deep_nesting_is_recorded_or_said_not_to_be(kernel: Kernel) -> None:
    kernel.run("""
        deep = []
        for _i in range(100_000):
            deep = [deep]
        shallow = []
        for _i in range(100):
            shallow = [shallow]
        """)
    assert "nested too deeply" in kernel.variable("deep").reason
    assert not kernel.variable("shallow").reason
    kernel.run("shallow = 1", "x = 1")
    kernel.undo(2)
    kernel.is_true("len(shallow) == 1")
    assert kernel.value("isinstance(deep, list)") is True
    kernel.do("while deep:\n    deep = deep.pop()")  # or freeing it overflows the stack of this Python


def test_objects_of_unchanged_variables_stay_the_very_same(kernel: Kernel) -> None:
    kernel.run("import collections\na = [1]\nclass A: pass\no = A()\nf = lambda: 1\nd = {'x': [1]}\nchanged = 0")
    before = kernel.value("[id(v) for v in (a, A, o, f, d, d['x'])]")
    kernel.run("changed = 1", "other = [2]")
    change = kernel.undo(2)
    assert kernel.value("[id(v) for v in (a, A, o, f, d, d['x'])]") == before
    assert {"a", "A", "o", "f", "d"} <= set(change.kept) and change.loaded == ["changed"]
    kernel.redo(2)
    assert kernel.value("[id(v) for v in (a, A, o, f, d, d['x'])]") == before


def test_views_of_an_array_are_views_again(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import numpy as np
            a = np.arange(100_000.0)
            v = a[10:20]
            r = a.reshape(100, 1000)
            t = r.T
            s = a[::-3]
            m = memoryview(a)
            locked = a[:5]
            locked.flags.writeable = False
            """,
        "v[:] = 0",
        "v[0] == 10 and a[10] == 10 and r[0, 10] == 10 and t[10, 0] == 10",
        "np.shares_memory(a, v) and np.shares_memory(a, r) and np.shares_memory(a, t) and np.shares_memory(a, s)",
        "not locked.flags.writeable and a.flags.writeable and np.shares_memory(a, locked)",
        "s.strides == (-24,) and t.flags.f_contiguous",
    )
    kernel.run("a[12] = -1")
    kernel.is_true("v[2] == -1", "r[0, 12] == -1", "t[12, 0] == -1", "m[12] == -1")


def test_a_view_whose_base_has_no_name_comes_back(kernel: Kernel) -> None:
    kernel.comes_back(
        "import numpy as np\nleft, right = np.arange(10), None\nright = left[5:]\nleft = left[:6]",
        "left[5] = 50",
        "left[5] == 5 and right[0] == 5 and np.shares_memory(left, right)",
    )
    kernel.run("left[5] = 77")
    kernel.is_true("right[0] == 77")


def test_arrays_of_all_kinds_come_back(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import numpy as np
            arrays = [np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3)), np.array(3.5),
                np.empty((0, 4)),
              np.array(['a', 'bc']), np.array([None, [1]], dtype=object), np.array([(1, 2.5)], dtype=[('n', 'i4'),
                ('x', 'f8')]),
              np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]), np.array(['2020-01-01'], dtype='M8[D]'), np.arange(3,
                dtype='>i4'),
              np.rec.array([(1, 'x')], dtype=[('a', 'i4'), ('b', 'U1')]), np.array([1 + 2j]), np.float32(1.5),
                np.bool_(True)]
            import copy
            copies = copy.deepcopy(arrays)
            """,
        "arrays[0][0, 0] = 99\narrays[5][1].append(2)\narrays[7][0] = 9",
        "all(type(a) is type(b) and a.dtype == b.dtype and a.shape == b.shape for a, b in zip(arrays, copies))",
        "all(repr(a) == repr(b) for a, b in zip(arrays, copies))",
        "arrays[1].flags.f_contiguous and not arrays[1].flags.c_contiguous",
    )


@pytest.mark.pandas2
def test_a_frame_and_its_column_share_what_their_pandas_lets_them_share(kernel: Kernel) -> None:
    kernel.run(
        """
            import pandas as pd, numpy as np
            df = pd.DataFrame({'a': np.arange(5000.0), 'b': 1})
            s = df['a']
            def shows_through():
                import warnings
                with warnings.catch_warnings():
                    warnings.simplefilter('ignore')
                    probe = s.copy()
                    s.iloc[0] = -5.0
                    through = df['a'].iloc[0] == -5.0
                    s.iloc[0] = 0.0
                    return bool(through)
            """
    )
    then = kernel.value("shows_through()")
    kernel.run("df.loc[1, 'a'] = 100.0\ns = s * 2")
    kernel.undo()
    kernel.is_true("df.loc[1, 'a'] == 1 and s.iloc[1] == 1")
    assert kernel.value("shows_through()") is then


@pytest.mark.pandas2
def test_an_array_under_a_frame_is_shared_again(kernel: Kernel) -> None:
    kernel.run("""
        import pandas as pd, numpy as np
        a = np.zeros((1000, 3))
        df = pd.DataFrame(a, copy=False)
        changed = 0
        """)
    assert kernel.value("bool(np.shares_memory(a, df.to_numpy()))") is True
    kernel.run("a[0, 0] = 5", "changed = 1")
    kernel.undo(2)
    kernel.is_true("a[0, 0] == 0", "df.iloc[0, 0] == 0", "np.shares_memory(a, df.to_numpy())")
    kernel.run("a[1, 1] = 7")
    kernel.is_true("df.iloc[1, 1] == 7")
    assert "df" in kernel.variable("a").names


@pytest.mark.pandas2
def test_frames_of_many_dtypes_come_back_equal(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import pandas as pd, numpy as np
            df = pd.DataFrame({'i': [1, 2], 'f': [1.5, np.nan], 's': ['x', None], 'c': pd.Categorical(['u', 'v']),
              't': pd.to_datetime(['2020-01-01', None]), 'z': pd.to_datetime(['2020-01-01', '2021-01-01'], utc=True),
              'n': pd.array([1, None], dtype='Int64'), 'o': [[1], {'a': 2}], 'b': [True, False],
                'd': pd.to_timedelta([1, 2], 's')},
              index=pd.MultiIndex.from_tuples([('a', 1), ('b', 2)], names=['k', 'm']))
            df.attrs['source'] = 'test'
            idx = df.index
            grouped = df.groupby(level='k')
            copy = df.copy(deep=True)
            """,
        "df['i'] += 1\ndf['new'] = 0\ndf.attrs['source'] = 'changed'\ndf.at[('a', 1), 'f'] = 9.0",
        "df.drop(columns='o').equals(copy.drop(columns='o')) and list(df.columns) == list(copy.columns)",
        "(df.dtypes == copy.dtypes).all() and df['o'].tolist() == [[1], {'a': 2}]",
        "df.attrs == {'source': 'test'} and df.index.equals(idx)",
    )


@pytest.mark.pandas2
def test_columns_added_dropped_and_edited_in_place_are_undone_one_by_one(kernel: Kernel) -> None:
    kernel.run("""
        import pandas as pd, numpy as np
        df = pd.DataFrame(np.arange(30_000.0).reshape(10_000, 3), columns=list('abc'))
        """)
    kernel.run(
        "df['d'] = df.a + df.b",
        "df.drop(columns='a', inplace=True)",
        "df.iloc[5, 0] = -1.0",
        "df = df[df.b > 100]",
        "df.sort_values('b', ascending=False, inplace=True)",
    )
    shapes = [(9966, 3), (10_000, 3), (10_000, 3), (10_000, 4), (10_000, 3)]
    for shape in shapes:
        kernel.undo()
        assert kernel.value("df.shape") == shape
    kernel.is_true(
        "list(df.columns) == ['a', 'b', 'c']", "(df.to_numpy() == np.arange(30_000.0).reshape(10_000, 3)).all()"
    )
    kernel.redo(3)
    kernel.is_true("df.iloc[5, 0] == -1.0", "list(df.columns) == ['b', 'c', 'd']")


def test_random_streams_go_on_as_they_did_then(kernel: Kernel) -> None:
    kernel.run("""
        import random
        import numpy as np
        random.seed(1)
        np.random.seed(2)
        g = np.random.default_rng(3)
        r = random.Random(4)
        """)
    draw = "first = [random.random(), np.random.rand(), g.random(), r.random(), np.random.randn()]"
    kernel.run(draw)
    then = kernel.value("first")
    kernel.undo()
    kernel.run(draw)
    assert kernel.value("first") == then
    kernel.run(draw)
    assert kernel.value("first") != then


def test_an_undo_of_a_cell_that_only_drew_random_numbers_turns_the_stream_back(kernel: Kernel) -> None:
    kernel.run("import random\nrandom.seed(5)", "random.random()", "x = random.random()")
    then = kernel.value("x")
    kernel.undo(2)
    kernel.run("random.random()", "x = random.random()")
    assert kernel.value("x") == then


def test_generators_that_two_objects_share_stay_shared(kernel: Kernel) -> None:
    kernel.comes_back(
        "import numpy as np\nrng = np.random.default_rng(0)\nclass Model:\n    pass\nm = Model()\nm.rng = rng",
        "rng.random(5)",
        "m.rng is rng",
        "rng.bit_generator.state['state']['state'] == np.random.default_rng(0).bit_generator.state['state']['state']",
    )


def test_common_values_of_the_standard_library_come_back(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import array, collections, datetime, decimal, fractions, operator, pathlib, re, types, uuid
            class Holder: pass
            h = Holder()
            h.values = dict(counter=collections.Counter('abca'), default=collections.defaultdict(list, a=[1]),
                deque=collections.deque([1], 3),
             ordered=collections.OrderedDict(a=1), day=datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
                dec=decimal.Decimal('1.10'),
             frac=fractions.Fraction(1, 3), path=pathlib.Path('x/y'), uid=uuid.UUID(int=5), rx=re.compile('a+',
                re.I), arr=array.array('d', [1.5]),
             ba=bytearray(b'xyz'), rng=range(5), sl=slice(1, 2), comp=1j, fs=frozenset({1, 2}), st={'a', 'b'},
                none=None, ell=..., ni=NotImplemented,
             big=10**50, nan=float('nan'), ns=types.SimpleNamespace(a=1), chain=collections.ChainMap({'a': 1},
                {'b': 2}), get=operator.itemgetter(1))
            v = h.values
            before = repr(sorted((k, repr(x)) for k, x in v.items() if k != 'st'))
            st = set(v['st'])
            """,
        """
            v['counter']['a'] += 1
            v['default']['b'].append(1)
            v['deque'].append(2)
            v['ba'][0] = 0
            v['ns'].a = 2
            v['st'].add('c')
            v['arr'].append(2.5)
            """,
        "repr(sorted((k, repr(x)) for k, x in v.items() if k != 'st')) == before",
        "v['st'] == st and h.values is v",
        "v['get']([1, 2]) == 2 and v['deque'].maxlen == 3 and v['default']['zz'] == []",
    )


def test_text_buffers_and_iterators_are_where_they_were(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import io
            text = io.StringIO('one\\ntwo\\n')
            line = text.readline()
            data = io.BytesIO(b'abc')
            it = iter([1, 2, 3])
            first = next(it)
            """,
        "text.readline(); data.write(b'z'); next(it)",
        "text.tell() == 4 and data.getvalue() == b'abc'",
        "__import__('copy').copy(it).__reduce__()[2] == 1",
    )


def test_an_instance_whose_getstate_loses_nothing_comes_back_through_it(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            class Packed:
                def __init__(self):
                    self.data = [1]
                    self.total = 1
                def __getstate__(self):
                    return {'data': self.data}
                def __setstate__(self, state):
                    self.__dict__.update(state, total=sum(state['data']))
            c = Packed()
            """,
        "c.data.append(2)\nc.total = 3",
        "c.data == [1] and c.total == 1",
    )


def test_an_instance_whose_getstate_leaves_something_out_is_said_not_to_be_stored(kernel: Kernel) -> None:
    kernel.run(
        """
            class Cached:
                def __init__(self):
                    self.data = [1]
                    self.cache = {'x': 1}
                def __getstate__(self):
                    return {'data': self.data}
                def __setstate__(self, state):
                    self.__dict__.update(state, cache={})
            c = Cached()
            """
    )
    assert "cache" in kernel.variable("c").reason
    kernel.run("c.data.append(2)")
    change = kernel.undo()
    assert "c" in change.uncertain and kernel.value("c.data") == [1, 2]


def test_a_variable_is_written_once_however_often_it_is_named(kernel: Kernel) -> None:
    kernel.run("import numpy as np\nbig = np.random.default_rng(0).random(1_000_000)")
    saved = kernel.status()["saved_bytes"]
    kernel.run("s = big.sum()", "big = big * 1", "other = big.copy()")
    assert kernel.status()["saved_bytes"] - saved < 10_000
    assert values_of(kernel.variable("s"))


def test_memoryviews_show_the_memory_they_showed(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            import array
            raw = bytearray(b'abcdefgh')
            m = memoryview(raw)
            part = m[2:6].toreadonly()
            numbers = m.cast('H')
            table = memoryview(array.array('i', range(6))).cast('B').cast('i', (2, 3))
            released = memoryview(b'x')
            released.release()
            """,
        "m[3] = 90\ntable[1, 2] = 9",
        "raw == b'abcdefgh' and m.obj is raw and part.obj is raw and numbers.obj is raw",
        "bytes(part) == b'cdef' and part.readonly and not m.readonly and numbers.format == 'H' and len(numbers) == 4",
        "table[1, 2] == 5",
    )
    kernel.run("raw[2] = 65")
    kernel.is_true("part[0] == 65 and m[2] == 65")
    assert "released" in kernel.variable("released").reason


def test_an_exception_with_a_cause_and_notes_comes_back_with_them(kernel: Kernel) -> None:
    kernel.comes_back(
        """
            class Refused(Exception):
                def __init__(self, *, who, why='no'):
                    self.who, self.why = who, why
                    super().__init__(f'{who}: {why}')
            try:
                try:
                    {}['x']
                except KeyError as first:
                    raise Refused(who='me') from first
            except Refused as second:
                error = second
            plain = [OSError(2, 'gone', 'file'), UnicodeDecodeError('utf8', b'x', 0, 1, 'bad')]
            """,
        "error.who = 'you'",
        "type(error) is Refused and error.who == 'me' and str(error) == 'me: no' and error.args == ('me: no',)",
        "type(error.__cause__) is KeyError and error.__cause__.args == ('x',) and error.__suppress_context__",
        "plain[0].filename == 'file' and plain[0].errno == 2 and plain[1].object == b'x'",
    )


def test_views_of_a_dictionary_show_it_again(kernel: Kernel) -> None:
    kernel.comes_back(
        """
        import types, enum, collections
        d = {'a': 1}
        keys, values, items, proxy = d.keys(), d.values(), d.items(), types.MappingProxyType(d)
        o = collections.OrderedDict(x=1)
        ordered = o.keys()
        empty = {}
        nothing = empty.keys()
        class E(enum.Enum):
            A = 1
        class C:
            n = 1
        members, contents = E.__members__, vars(C)
        """,
        "d['b'] = 2\no['y'] = 2\nempty['z'] = 1",
        "list(keys) == ['a'] and list(values) == [1] and list(items) == [('a', 1)] and proxy == {'a': 1}",
        "list(ordered) == ['x'] and not nothing",
        "members['A'] is E.A and contents['n'] == 1",
    )
    kernel.run("d['c'] = 3\no['w'] = 1\nempty['q'] = 0")
    kernel.is_true(
        "list(keys) == ['a', 'c'] and proxy['c'] == 3", "list(ordered) == ['x', 'w']", "list(nothing) == ['q']"
    )


def test_instances_that_share_their_attributes_share_them_again(kernel: Kernel) -> None:
    kernel.comes_back(
        """
        class Borg:
            everybody = {}
            def __init__(self):
                self.__dict__ = self.everybody
        class Attributes(dict):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.__dict__ = self
        one, two = Borg(), Borg()
        one.x = 1
        options = Attributes(rate=0.5)
        nothing = Attributes()
        """,
        "two.x = 2\noptions.rate = 1.0\nnothing['y'] = 1",
        "one.x == 1 and two.x == 1 and one.__dict__ is two.__dict__ is Borg.everybody",
        "options.rate == options['rate'] == 0.5 and options.__dict__ is options and type(options) is Attributes",
        "not nothing and nothing.__dict__ is nothing",
    )
    kernel.run("one.x = 5\noptions.depth = 3\nnothing.z = 1")
    kernel.is_true("two.x == 5 and options['depth'] == 3 and nothing['z'] == 1")


def test_views_of_arrays_of_objects_are_views_again(kernel: Kernel) -> None:
    kernel.comes_back(
        """
        import numpy as np
        objects = np.array([[1], {'a': 2}, None, 'x'], dtype=object)
        tail, table, backwards = objects[1:], objects.reshape(2, 2), objects[::-1]
        """,
        "objects[0].append(5)\ntail[2] = 'y'",
        "objects[0] == [1] and table[0, 0] is objects[0] and backwards[3] is objects[0]",
        "tail[2] == 'x' and np.shares_memory(objects, tail) and np.shares_memory(objects, table)",
    )
    kernel.run("objects[1] = 'new'")
    kernel.is_true("tail[0] == table[0, 1] == backwards[2] == 'new'")
