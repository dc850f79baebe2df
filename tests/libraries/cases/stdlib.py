"""The standard library: containers, values, text, time, iterators, and what is bound to the process."""

from case import Case, Library


def refused(name: str, make: str, use: str = "repr(type(x))") -> Case:
    """A case of a class that cannot be stored."""
    return Case(name=name, make=make, use=use, changes=(), picture="type(x).__name__", storable=False)


LIBRARY = Library(
    package="ipykernel",
    imports="""
import abc, argparse, array, ast, asyncio, base64, bisect, calendar, cmath, collections, configparser, contextlib
import contextvars, copy, csv, ctypes, dataclasses, datetime as dt, decimal, difflib, email.message, enum, fractions
import functools, graphlib, hashlib, heapq, http.cookies, io, ipaddress, itertools, json, logging, math, numbers, operator
import os, pathlib, pickle, queue, random, re, sched, shelve, socket, sqlite3, statistics, string, struct, subprocess
import tempfile, textwrap, threading, time, tokenize, types, typing, urllib.parse, urllib.request, uuid, weakref, zipfile
import zlib, zoneinfo
import xml.etree.ElementTree as ET
import xml.dom.minidom
""".strip(),
    cases=(
        Case(
            name="list",
            make="inner = [1]; x = [inner, inner, 'a', 2.5, None, (1, [2])]",
            use="len(x); x[0]; sorted(map(str, x)); x == [1]; x.index('a'); repr(x); x + [1]; x[::-1]; copy.deepcopy(x)",
            changes=("x.append(x[0])", "x[0].append(2)", "x[5][1][0] = 9", "x.reverse()"),
            picture="repr(x), [i for i, v in enumerate(x) if v is inner], inner",
        ),
        Case(
            name="list (of itself)",
            make="x = [1]; x.append(x)",
            use="len(x); repr(x); x[0]; x.count(1)",
            changes=("x[0] = 2", "x.insert(0, 'first')", "x.append([x])"),
            picture="repr(x), sum(v is x for v in x)",
        ),
        Case(
            name="heap (heapq)",
            make="x = []; [heapq.heappush(x, v) for v in (5, 1, 4)]",
            use="heapq.nsmallest(2, x); x[0]; len(x)",
            changes=("heapq.heappush(x, 0)", "heapq.heappop(x)", "heapq.heapreplace(x, 9)"),
            picture="list(x), heapq.nsmallest(3, x)",
        ),
        Case(
            name="tuple",
            make="part = {'k': [1]}; x = (1, 'a', part)",
            use="len(x); x[2]['k']; x == (1,); repr(x); list(x)",
            changes=("x[2]['k'].append(2)", "part['j'] = 3", "x = (*x, 4)"),
            picture="repr(x), part, x[2] is part",
        ),
        Case(
            name="dict",
            make="x = {'b': 1, 'a': [1, 2], (1, 2): {'deep': None}}",
            use="x['a']; list(x.items()); len(x); x.get('q'); repr(x); {**x}; json.dumps(x['a']); x == {}",
            changes=("x['c'] = 3", "x['a'].append(3)", "x['b'] = x.pop('b')", "x[1, 2]['deep'] = x['a']"),
            picture="repr(x), x[1, 2]['deep'] is x['a']",
        ),
        Case(
            name="set (of strings)",
            make="x = {'one', 'two', 'three', 'four', 'five'}",
            use="'one' in x; len(x); sorted(x); x | {'q'}; x & {'one'}; repr(x); list(x); x == set()",
            changes=("x.add('six')", "x.discard('one')", "x ^= {'two', 'seven'}"),
            picture="sorted(x), len(x), 'two' in x",
        ),
        Case(
            name="frozenset",
            make="x = frozenset({'one', 'two', 'three'})",
            use="'one' in x; len(x); hash(x); x | {'q'}; repr(x)",
            changes=("x = x | {'four'}", "x = x - {'one'}", "x = frozenset({x, 1})"),
            picture="sorted(map(lambda v: sorted(v) if isinstance(v, frozenset) else v, x), key=str)",
        ),
        Case(
            name="dict views",
            make="d = {'a': 1, 'b': 2}; x = d.items()",
            use="len(x); list(x); ('a', 1) in x; repr(x)",
            changes=("d['c'] = 3", "x = d.keys()", "x = d.values()"),
            picture="repr(x), list(d)",
        ),
        Case(
            name="collections.deque",
            make="x = collections.deque([1, 2, 3], maxlen=4)",
            use="x[0]; len(x); list(x); x.count(1); repr(x); x == x.copy()",
            changes=("x.append(4)", "x.append(5)", "x.rotate(1)", "x.popleft()"),
            picture="repr(x), x.maxlen",
        ),
        Case(
            name="collections.OrderedDict",
            make="x = collections.OrderedDict(a=1, b=2, c=3)",
            use="list(x); x['a']; len(x); repr(x); x == {'a': 1}; reversed(x)",
            changes=("x.move_to_end('a')", "x['d'] = 4", "x.popitem(last=False)"),
            picture="repr(x), list(reversed(x))",
        ),
        Case(
            name="collections.Counter",
            make="x = collections.Counter('hello')",
            use="x['l']; x['missing']; x.most_common(2); x.total(); repr(x); list(x.elements())",
            changes=("x.update('lo')", "x['h'] -= 5", "del x['e']"),
            picture="sorted(x.items()), type(x).__name__, x['nothing']",
        ),
        Case(
            name="collections.defaultdict (lambda)",
            make="start = 5; x = collections.defaultdict(lambda: [start]); x['a'].append(1)",
            use="x['a']; x.get('b'); len(x); 'q' in x; list(x); repr(type(x))",
            changes=("x['b'].append(2)", "x['new']", "x.default_factory = list"),
            picture="sorted(x.items()), x.default_factory()",
        ),
        Case(
            name="collections.ChainMap",
            make="one, two = {'a': 1}, {'a': 2, 'b': 3}; x = collections.ChainMap(one, two)",
            use="x['b']; len(x); dict(x); list(x); repr(x); x.parents; x.new_child()",
            changes=("x['c'] = 4", "two['b'] = 5", "x.maps.append({'z': 0})"),
            picture="repr(x), sorted(x.items()), x.maps[0] is one, one, two",
        ),
        Case(
            name="collections.UserDict subclass",
            make="""
class Lower(collections.UserDict):
    def __setitem__(self, key, item):
        super().__setitem__(key.lower(), item)
x = Lower(A=1)
""",
            use="x['a']; len(x); list(x); repr(x); 'a' in x",
            changes=("x['B'] = 2", "x.update(C=[3])", "x['c'].append(4)"),
            picture="repr(x), type(x) is Lower",
        ),
        Case(
            name="collections.namedtuple",
            make="Point = collections.namedtuple('Point', 'a b', defaults=[0]); x = Point(1, [2])",
            use="x.a; x._asdict(); x == (1, [2]); repr(x); list(x); len(x)",
            changes=("x.b.append(3)", "x = x._replace(a=5)", "x = Point('only')"),
            picture="repr(x), isinstance(x, Point), x._fields",
        ),
        Case(
            name="dataclass",
            make="""
@dataclasses.dataclass
class Item:
    name: str
    tags: list = dataclasses.field(default_factory=list)
    def label(self):
        return f'{self.name}:{len(self.tags)}'
x = Item('n', ['t'])
""",
            use="x.label(); dataclasses.asdict(x); repr(x); x == Item('n'); dataclasses.replace(x, name='q')",
            changes=("x.tags.append('u')", "x.name = 'm'", "x.extra = {1: 2}"),
            picture="repr(x), x.label(), vars(x), isinstance(x, Item)",
        ),
        Case(
            name="dataclass (frozen, slots)",
            make="""
@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Cell:
    row: int
    col: int = 0
x = Cell(1)
""",
            use="hash(x); x < Cell(2); repr(x); x == Cell(1, 0)",
            changes=("x = dataclasses.replace(x, col=3)", "x = Cell(7, 7)", "object.__setattr__(x, 'row', 8)"),
            picture="repr(x), isinstance(x, Cell)",
        ),
        Case(
            name="enum.Enum",
            make="""
class Color(enum.Enum):
    RED = 1
    BLUE = 'b'
x = Color.RED
""",
            use="x.name; x.value; x is Color.RED; list(Color); repr(x); hash(x)",
            changes=("x = Color.BLUE", "x = Color(1)", "x = Color['BLUE']"),
            picture="repr(x), x is Color(x.value)",
        ),
        Case(
            name="enum.Flag",
            make="class Mode(enum.Flag):\n    R = enum.auto()\n    W = enum.auto()\nx = Mode.R",
            use="x | Mode.W; bool(x & Mode.R); repr(x); x.value; Mode.R in x",
            changes=("x |= Mode.W", "x ^= Mode.R", "x = ~x"),
            picture="repr(x), x.value, isinstance(x, Mode)",
        ),
        Case(
            name="types.SimpleNamespace",
            make="x = types.SimpleNamespace(a=1, b=[2])",
            use="x.b; repr(x); vars(x); x == types.SimpleNamespace()",
            changes=("x.b.append(3)", "x.c = 4", "del x.a"),
            picture="repr(x)",
        ),
        Case(
            name="argparse.Namespace",
            make="x = argparse.Namespace(rate=0.1, names=['a'])",
            use="x.rate; vars(x); repr(x); 'rate' in x",
            changes=("x.rate = 0.5", "x.names.append('b')", "x.new = None"),
            picture="repr(x)",
        ),
        Case(
            name="argparse.ArgumentParser",
            make="x = argparse.ArgumentParser(prog='p'); _ = x.add_argument('--rate', type=float, default=1.0)",
            use="x.parse_args(['--rate', '2']); x.format_help(); repr(x)",
            changes=(
                "_ = x.add_argument('name', nargs='?')",
                "x.set_defaults(rate=3.0)",
                "x.description = 'text'",
                "_ = x.add_subparsers(dest='sub').add_parser('go')",
            ),
            picture="repr(x.parse_args([])), x.format_help()",
        ),
        Case(
            name="configparser.ConfigParser",
            make="x = configparser.ConfigParser(); x.read_string('[a]\\nk = 1\\n')",
            use="x.sections(); x['a']['k']; x.getint('a', 'k'); dict(x['a']); 'a' in x; repr(type(x))",
            changes=(
                "x['a']['k'] = '2'",
                "x['b'] = {'z': 'y'}",
                "_ = x.remove_section('a'); x.add_section('a'); x['a']['k'] = '3'",
            ),
            picture="{s: dict(x[s]) for s in x}, x.sections()",
        ),
        Case(
            name="array.array",
            make="x = array.array('d', [1.0, 2.0])",
            use="x[0]; len(x); x.tolist(); x == x[:]; repr(x); bytes(x)",
            changes=("x[0] = 5", "x.append(3)", "x.byteswap()"),
            picture="repr(x), x.typecode",
        ),
        Case(
            name="bytearray",
            make="x = bytearray(b'hello')",
            use="x[0]; len(x); bytes(x); x.find(b'l'); repr(x); x.decode()",
            changes=("x[0] = 72", "x += b' you'", "del x[1:3]"),
            picture="repr(x)",
        ),
        Case(
            name="memoryview",
            make="store = bytearray(b'0123456789'); x = memoryview(store)[2:8]",
            use="x[0]; len(x); x.tolist(); bytes(x); x.format; x == b'1'",
            changes=("x[0] = 65", "store[3] = 66", "x = x[::2]"),
            picture="bytes(x), bytes(store), x.readonly, x.strides, x.obj is store",
        ),
        Case(
            name="memoryview (of an array)",
            make="numbers_ = array.array('i', [1, 2, 3]); x = memoryview(numbers_)",
            use="x[0]; x.tolist(); x.itemsize; x.nbytes",
            changes=("x[0] = 7", "numbers_[1] = 8", "x = x.toreadonly()"),
            picture="x.tolist(), list(numbers_), x.readonly, x.format, x.obj is numbers_",
        ),
        Case(
            name="bytes",
            make="x = b'abc'",
            use="x[0]; x.hex(); x + b'd'; repr(x); hash(x)",
            changes=("x += b'd'", "x = x * 1000", "x = x.upper()"),
            picture="x",
        ),
        Case(
            name="str",
            make="x = 'text \\ud83d\\ude00'.encode('utf-16', 'surrogatepass').decode('utf-16')",
            use="len(x); x.upper(); x.split(); hash(x); repr(x)",
            changes=("x += ' more'", "x = x * 500", "x = '\\udc80 lone'"),
            picture="ascii(x)",
        ),
        Case(
            name="int",
            make="x = 12345678901234567890",
            use="x + 1; x.bit_length(); repr(x); hash(x); float(x)",
            changes=("x += 1", "x = -x", "x = 3 ** 500"),
            picture="str(x)",
        ),
        Case(
            name="float",
            make="x = 0.1",
            use="x + 1; x.hex(); repr(x); math.sqrt(x * x)",
            changes=("x += 0.2", "x = float('nan')", "x = -0.0"),
            picture="x.hex()",
        ),
        Case(
            name="complex",
            make="x = 1 + 2j",
            use="abs(x); x.conjugate(); cmath.phase(x)",
            changes=("x *= 1j", "x = complex('-0j')", "x = complex('inf+nanj')"),
            picture="repr(x)",
        ),
        Case(
            name="range",
            make="x = range(10)",
            use="bool(x); 3 in x; x[2]; x == range(10); hash(x)",
            changes=("x = x[::2]", "x = range(5, 0, -1)", "x = range(10**30)"),
            picture="repr(x)",
        ),
        Case(
            name="datetime.datetime (with a time zone)",
            make="x = dt.datetime(2024, 10, 27, 2, 30, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'), fold=1)",
            use="x.isoformat(); x + dt.timedelta(1); x.astimezone(dt.timezone.utc); x.utcoffset(); hash(x); repr(x)",
            changes=(
                "x = x.replace(fold=0)",
                "x = x.astimezone(dt.timezone(dt.timedelta(hours=2), 'X'))",
                "x = x.replace(tzinfo=None)",
            ),
            picture="repr(x), x.fold, str(x.utcoffset()), x.tzname()",
        ),
        Case(
            name="datetime.timedelta",
            make="x = dt.timedelta(days=1, microseconds=5)",
            use="x.total_seconds(); x * 2; repr(x); hash(x)",
            changes=("x *= 2", "x = -x", "x = x / 3"),
            picture="repr(x)",
        ),
        Case(
            name="datetime.date",
            make="x = dt.date(2024, 2, 29)",
            use="x.isoformat(); hash(x); repr(x); str(x)",
            changes=("x += dt.timedelta(1)", "x = x.replace(year=1999)", "x = dt.time(1, 2, tzinfo=dt.timezone.utc)"),
            picture="repr(x)",
        ),
        Case(
            name="zoneinfo.ZoneInfo",
            make="x = zoneinfo.ZoneInfo('Asia/Tokyo')",
            use="str(x); repr(x); dt.datetime(2024, 1, 1, tzinfo=x).utcoffset()",
            changes=("x = zoneinfo.ZoneInfo('UTC')", "x = zoneinfo.ZoneInfo('Europe/Paris')", "x = dt.timezone.utc"),
            picture="repr(x), str(dt.datetime(2024, 7, 1, tzinfo=x).utcoffset()),"
            " not hasattr(x, 'key') or x is zoneinfo.ZoneInfo(x.key)",
        ),
        Case(
            name="decimal.Decimal",
            make="x = decimal.Decimal('1.10')",
            use="x + 1; x.quantize(decimal.Decimal('0.1')); repr(x); hash(x); float(x)",
            changes=("x *= 2", "x = decimal.Decimal('NaN')", "x = decimal.Decimal('-0E+5')"),
            picture="repr(x)",
        ),
        Case(
            name="decimal.Context",
            make="x = decimal.Context(prec=5)",
            use="x.divide(decimal.Decimal(1), decimal.Decimal(2)); repr(x); x.prec",
            changes=(
                "x.prec = 9",
                "x.rounding = decimal.ROUND_UP",
                "_ = x.divide(decimal.Decimal(1), decimal.Decimal(3))",
            ),
            picture="repr(x), sorted(str(k) for k, v in x.flags.items() if v)",
        ),
        Case(
            name="fractions.Fraction",
            make="x = fractions.Fraction(1, 3)",
            use="x + 1; x.limit_denominator(2); repr(x); hash(x)",
            changes=("x *= 2", "x = -x", "x += fractions.Fraction(1, 7)"),
            picture="repr(x)",
        ),
        Case(
            name="uuid.UUID",
            make="x = uuid.UUID(int=5)",
            use="x.hex; str(x); hash(x); x.bytes; repr(x)",
            changes=("x = uuid.UUID(int=6)", "x = uuid.uuid5(x, 'n')", "x = uuid.uuid3(x, 'n')"),
            picture="repr(x), x.version, x.is_safe.name",
        ),
        Case(
            name="re.Pattern",
            make="x = re.compile(r'(?P<w>\\w+)', re.I)",
            use="x.findall('a b'); x.sub('q', 'a'); x.pattern; x.groupindex; repr(x)",
            changes=("x = re.compile(r'\\d')", "x = re.compile(rb'\\d')", "x = re.compile('(?x) a b')"),
            picture="x.pattern, x.flags, x.groups",
        ),
        refused("re.Match", "x = re.match('(a)b', 'ab')", "x.group(1); x.span(); repr(x)"),
        Case(
            name="pathlib.Path",
            make="x = pathlib.Path('a') / 'b.txt'",
            use="x.name; x.parent; str(x); hash(x); x.suffix; x.parts; repr(x); list(x.parents)",
            changes=("x = x.with_suffix('.md')", "x = x.parent", "x = pathlib.PureWindowsPath('c:/q')"),
            picture="repr(x), x.parts",
        ),
        Case(
            name="random.Random",
            make="x = random.Random(7)",
            use="x.getstate(); repr(type(x))",
            changes=("_ = x.random()", "_ = x.gauss(0, 1)", "x.seed('text')"),
            picture="x.getstate()",
        ),
        Case(
            name="itertools.count",
            make="x = itertools.count(10, 2)",
            use="repr(x)",
            changes=("_ = next(x)", "_ = list(zip('ab', x))", "x = itertools.count(0.5, 0.25)"),
            picture="repr(x)",
        ),
        Case(
            name="itertools.cycle",
            make="x = itertools.cycle('abc')",
            use="repr(type(x)); bool(x)",
            changes=("_ = next(x)", "_ = [next(x) for _ in range(4)]", "x = itertools.cycle([1, 2])"),
            picture="(lambda c: [next(c) for _ in range(7)])(copy.deepcopy(x))",
        ),
        Case(
            name="list_iterator",
            make="source = [1, 2, 3, 4]; x = iter(source)",
            use="repr(type(x)); x.__length_hint__()",
            changes=("_ = next(x)", "source.append(5)", "_ = [next(x), next(x)]"),
            picture="x.__length_hint__(), list(copy.copy(x)), source",
        ),
        Case(
            name="functools.partial",
            make="def power(a, b, *, m=None):\n    return pow(a, b, m)\nx = functools.partial(power, 2, m=100)",
            use="x(*[5][: 2 - len(x.args)]); x.func; x.args; x.keywords; repr(type(x))",
            changes=("x.keywords['m'] = 7", "x = functools.partial(power, 2, 3)", "x.tag = ['mine']"),
            picture="x(*[9, 8][: 2 - len(x.args)]), x.args, x.keywords, vars(x), x.func is power",
        ),
        Case(
            name="function (closure)",
            make="""
def make(start):
    total = start
    def add(by, scale=[1]):
        nonlocal total
        total += by * scale[0]
        return total
    return add
x = make(5)
""",
            use="x.__name__; x.__defaults__; repr(type(x)); x.__code__.co_varnames",
            changes=("_ = x(3)", "x.__defaults__[0][0] = 2", "x.note = 'mine'"),
            picture="x.__closure__[0].cell_contents, x.__defaults__, vars(x), x.__name__",
        ),
        Case(
            name="functools.lru_cache function",
            make="factor = 3\n@functools.lru_cache(maxsize=8)\ndef x(v):\n    return v * factor",
            use="x.__name__; x.__wrapped__(2); x.cache_parameters()",
            changes=(
                "@functools.lru_cache(maxsize=8)\ndef x(v):\n    return v + factor",
                "@functools.lru_cache(maxsize=9)\ndef x(v):\n    return v + factor",
                "@functools.cache\ndef x(v):\n    return v - factor",
            ),
            picture="x.__wrapped__(5), x.cache_parameters(), x.__name__",
        ),
        Case(
            name="functools.lru_cache function (called)",
            make="@functools.lru_cache(maxsize=8)\ndef x(v):\n    return v * 2",
            use="x(1); x(2); x.cache_info()",
            changes=("@functools.lru_cache\ndef x(v):\n    return v + 2", "x.note = 1", "x.note = 2"),
            picture="x(1), x(7), x.cache_parameters(), getattr(x, 'note', None)",
        ),
        Case(
            name="functools.singledispatch function",
            make="@functools.singledispatch\ndef x(v):\n    return 'any'\n_ = x.register(int, lambda v: 'int')",
            use="x(1); x('a'); x.registry.keys(); x.dispatch(int)",
            changes=(
                "_ = x.register(str, lambda v: 'str')",
                "_ = x.register(list, lambda v: 'list')",
                "_ = x.register(int, lambda v: 'again')",
            ),
            picture="x(1), x('a'), x([]), x(None), sorted(k.__name__ for k in x.registry)",
        ),
        Case(
            name="class of the notebook",
            make="class x:\n    shared = []\n    def get(self):\n        return len(self.shared)",
            use="x().get(); x.__name__; x.mro(); repr(x); dir(x)",
            changes=("x.shared.append(1)", "x.extra = 'e'", "x.get = lambda self: 'other'"),
            picture="x().get(), x.shared, getattr(x, 'extra', None), x.__name__",
        ),
        Case(
            name="instance with a cached_property",
            make="""
class Circle:
    def __init__(self, r):
        self.r = r
    @property
    def twice(self):
        return self.r * 2
    @functools.cached_property
    def area(self):
        return round(3.14 * self.r ** 2, 6)
x = Circle(2)
""",
            use="x.twice; x.r; repr(type(x)); hasattr(x, 'area')",
            changes=("x.r = 3", "del x.area", "x.__dict__['area'] = -1"),
            picture="x.r, x.twice, x.area",
        ),
        Case(
            name="bound method",
            make="target = [3, 1, 2]; x = target.append",
            use="x.__name__; x.__self__; repr(type(x))",
            changes=("x(4)", "target.sort()", "x = target.index"),
            picture="x.__name__, x.__self__, target, x.__self__ is target",
        ),
        Case(
            name="io.StringIO",
            make="x = io.StringIO('one\\ntwo\\n')",
            use="x.getvalue(); x.tell(); x.readable(); repr(type(x))",
            changes=("_ = x.readline()", "_ = x.write('THREE')", "_ = x.seek(0); x.truncate(2)"),
            picture="x.getvalue(), x.tell(), x.closed",
        ),
        Case(
            name="io.BytesIO",
            make="x = io.BytesIO(b'one two')",
            use="x.getvalue(); x.tell(); x.getbuffer().nbytes; repr(type(x))",
            changes=("_ = x.read(3)", "_ = x.write(b'END')", "x.close()", "x = io.BytesIO(b'new')"),
            picture="x.closed or (x.getvalue(), x.tell())",
        ),
        Case(
            name="logging.Logger",
            make="x = logging.getLogger('cellar.case')",
            use="x.name; x.debug('nothing'); repr(x); x.getEffectiveLevel(); x.handlers",
            changes=(
                "x = logging.getLogger('cellar.case.child')",
                "x = logging.getLogger('cellar.other')",
                "x = logging.getLogger()",
            ),
            picture="x.name, x is logging.getLogger(x.name if x.name != 'root' else None)",
        ),
        Case(
            name="logging.LogRecord",
            make="x = logging.LogRecord('n', 20, 'p', 1, 'a %s', ('b',), None)",
            use="x.getMessage(); repr(x); logging.Formatter('%(message)s').format(x)",
            changes=("x.msg = 'c %s'", "x.args = ('d',)", "x.levelno = 30"),
            picture="x.getMessage(), x.levelno, x.name",
        ),
        Case(
            name="string.Template",
            make="x = string.Template('hi $who')",
            use="x.substitute(who='a', q='b'); x.safe_substitute(); x.template; repr(type(x))",
            changes=("x.template = 'bye $who'", "x.note = 1", "x = string.Template('${q}')"),
            picture="x.template, x.safe_substitute(who='me'), vars(x)",
        ),
        refused("contextvars.ContextVar", "x = contextvars.ContextVar('v', default=1)", "x.get(); x.name"),
        refused("contextvars.Context", "x = contextvars.copy_context()", "len(x)"),
        Case(
            name="types.ModuleType (imported)",
            make="x = math",
            use="x.__doc__; x.__name__; dir(x); repr(x)",
            changes=("x = json", "x = os.path", "x = xml.etree.ElementTree"),
            picture="x.__name__, x is __import__('sys').modules[x.__name__]",
        ),
        Case(
            name="types.ModuleType (made by hand)",
            make="x = types.ModuleType('handmade', 'doc'); x.value = [1]",
            use="x.value; x.__name__; dir(x); repr(x)",
            changes=("x.value.append(2)", "x.other = 'o'", "exec('def f(): return value', vars(x))"),
            picture="x.__name__, x.__doc__, x.value, getattr(x, 'other', None), x.f() if hasattr(x, 'f') else None",
        ),
        Case(
            name="ipaddress.IPv4Network",
            make="x = ipaddress.ip_network('10.0.0.0/30')",
            use="x.num_addresses if hasattr(x, 'num_addresses') else x.ip; x.compressed; x.is_private; hash(x); repr(x); x == 1",
            changes=(
                "x = x.supernet()",
                "x = ipaddress.ip_network('::/120')",
                "x = ipaddress.ip_interface('10.0.0.1/8')",
            ),
            picture="repr(x), str(x.network_address if hasattr(x, 'network_address') else x.network)",
        ),
        Case(
            name="ipaddress.IPv4Address",
            make="x = ipaddress.ip_address('10.0.0.1')",
            use="x == 1; x.is_private; hash(x); repr(x); x.packed",
            changes=("x += 1", "x = ipaddress.ip_address('::1')", "x = ipaddress.ip_address('fe80::1%eth0')"),
            picture="repr(x), x.version",
        ),
        Case(
            name="urllib.request.Request",
            make="x = urllib.request.Request('http://example.org/a?b=1', headers={'X-A': '1'})",
            use="x.full_url; x.get_method(); x.header_items(); x.host; x.has_header('X-a')",
            changes=("x.add_header('X-B', '2')", "x.data = b'body'", "x.full_url = 'http://example.org/c'"),
            picture="x.full_url, x.get_method(), sorted(x.header_items()), x.data, x.host, x.selector",
        ),
        Case(
            name="urllib.parse.ParseResult",
            make="x = urllib.parse.urlparse('http://u@h:80/p;a?q=1#f')",
            use="x.port; x.geturl(); x.username; repr(x); list(x)",
            changes=(
                "x = x._replace(path='/z')",
                "x = urllib.parse.urlsplit('http://a/b')",
                "x = urllib.parse.urlparse(b'//c')",
            ),
            picture="repr(x), x.geturl()",
        ),
        Case(
            name="email.message.EmailMessage",
            make="x = email.message.EmailMessage(); x['Subject'] = 'Hi'; x.set_content('text')",
            use="x['subject']; x.as_string(); x.keys(); x.get_content(); x.is_multipart(); list(x.walk())",
            changes=("x['To'] = 'a@b.c'", "x.replace_header('Subject', 'Ho')", "x.set_content('other')"),
            picture="x.as_string(), x.items()",
        ),
        Case(
            name="http.cookies.SimpleCookie",
            make="x = http.cookies.SimpleCookie('a=1; b=2')",
            use="x['a'].value; x.output(); list(x); repr(x)",
            changes=("x['c'] = '3'", "x['a']['path'] = '/p'", "del x['b']"),
            picture="x.output(), sorted(x)",
        ),
        Case(
            name="xml.etree.ElementTree.Element",
            make="x = ET.fromstring('<r a=\"1\"><c>t</c><c/>tail</r>')",
            use="x.find('c').text; list(x.iter()); ET.tostring(x); x.attrib; len(x); x.get('a'); repr(type(x))",
            changes=("x.set('a', '2')", "x[0].text = 'u'", "_ = ET.SubElement(x, 'd')", "x.remove(x[0])"),
            picture="ET.tostring(x), x.attrib",
        ),
        Case(
            name="xml.etree.ElementTree.ElementTree",
            make="x = ET.ElementTree(ET.fromstring('<r><c>t</c></r>'))",
            use="x.getroot().tag; x.find('c'); list(x.iter()); repr(type(x))",
            changes=("x.getroot().set('k', 'v')", "x.find('c').tail = 'q'", "x._setroot(ET.Element('n'))"),
            picture="ET.tostring(x.getroot())",
        ),
        Case(
            name="xml.dom.minidom.Document",
            make="x = xml.dom.minidom.parseString('<r><c k=\"1\"/></r>')",
            use="x.documentElement.tagName; x.toxml(); x.getElementsByTagName('c')",
            changes=(
                "x.documentElement.setAttribute('a', 'b')",
                "_ = x.documentElement.appendChild(x.createElement('d'))",
                "_ = x.documentElement.removeChild(x.documentElement.firstChild)",
            ),
            picture="x.toxml()",
        ),
        Case(
            name="statistics.NormalDist",
            make="x = statistics.NormalDist(1, 2)",
            use="x.mean; x.cdf(0); x.pdf(1); x + 1; repr(x); hash(x); x.quantiles()",
            changes=("x = x * 2", "x += statistics.NormalDist(0, 1)", "x = -x"),
            picture="repr(x), x.cdf(1.0)",
        ),
        Case(
            name="struct.Struct",
            make="x = struct.Struct('<id')",
            use="x.pack(1, 2.0); x.size; x.format; repr(type(x))",
            changes=("x = struct.Struct('<h')", "x = struct.Struct('>q')", "x = struct.Struct('>id')"),
            picture="x.format, x.size",
        ),
        Case(
            name="weakref.WeakValueDictionary",
            make="""
class Node:
    def __init__(self, n):
        self.n = n
nodes = [Node(1), Node(2)]
x = weakref.WeakValueDictionary({n.n: n for n in nodes})
""",
            use="x[1].n; len(x); sorted(x); 3 in x; list(x.values())",
            changes=("nodes.append(Node(3)); x[3] = nodes[2]", "x[1].n = 10", "del x[2]"),
            picture="sorted((k, v.n) for k, v in x.items()), [n.n for n in nodes], x[1] is nodes[0]",
        ),
        Case(
            name="weakref.WeakKeyDictionary",
            make="keys = [Node(1), Node(2)]; x = weakref.WeakKeyDictionary({k: [k.n] for k in keys})",
            use="len(x); list(x.values()); keys[0] in x",
            changes=("x[keys[0]].append(5)", "keys.append(Node(3)); x[keys[2]] = 'new'", "del x[keys[1]]"),
            picture="sorted((k.n, str(v)) for k, v in x.items()), [k.n for k in keys], keys[0] in x",
        ),
        Case(
            name="weakref.ref",
            make="held_node = Node(5); x = weakref.ref(held_node)",
            use="x().n; repr(type(x)); x() is held_node",
            changes=("x().n = 6", "held_node.m = 7", "held_node = Node(8); x = weakref.ref(held_node)"),
            picture="vars(x()), x() is held_node",
        ),
        Case(
            name="ast.AST",
            make="x = ast.parse('a = b + 1')",
            use="ast.dump(x); ast.unparse(x); compile(x, 'f', 'exec'); list(ast.walk(x)); repr(type(x))",
            changes=(
                "x.body[0].value.right.value = 2",
                "x.body.append(ast.parse('c').body[0])",
                "x.body[0].targets[0].id = 'z'",
            ),
            picture="ast.dump(x, include_attributes=True)",
        ),
        Case(
            name="code object",
            make="x = compile('1 + 2', 'file', 'eval')",
            use="eval(x, {'a': 0, 'n': 1}); x.co_names; hash(x); x.co_filename",
            changes=(
                "x = compile('3 * n', 'file', 'eval')",
                "x = x.replace(co_filename='g')",
                "x = compile('[a, 5]', 'h', 'eval')",
            ),
            picture="x.co_filename, x.co_names, x.co_consts, x.co_code.hex()",
        ),
        Case(
            name="exception",
            make="x = ValueError('bad', 3); x.__notes__ = ['n']",
            use="x.args; str(x); repr(x); isinstance(x, ValueError)",
            changes=("x.args = ('worse',)", "x.__notes__.append('m')", "x.__cause__ = KeyError('k')"),
            picture="repr(x), x.__notes__, repr(x.__cause__)",
        ),
        Case(
            name="exception (caught)",
            make="try:\n    {}['k']\nexcept KeyError as error:\n    x = error",
            use="x.args; str(x); repr(x)",
            changes=("x.args = ('other',)", "x.note = [1]", "x.note.append(2)"),
            picture="repr(x), getattr(x, 'note', None)",
        ),
        Case(
            name="graphlib.TopologicalSorter",
            make="x = graphlib.TopologicalSorter({'a': ['b'], 'b': ['c']})",
            use="repr(type(x))",
            changes=("x.add('z', 'a')", "x.add('c', 'd')", "x.prepare(); _ = x.get_ready(); x.done('d')"),
            picture="sorted(x._node2info), x._nfinished, x._npassedout",
        ),
        Case(
            name="difflib.SequenceMatcher",
            make="x = difflib.SequenceMatcher(None, 'abcd', 'bcde')",
            use="repr(type(x)); x.a; x.b",
            changes=("x.set_seq1('xbcd')", "x.set_seq2('zzz')", "x.autojunk = False"),
            picture="x.a, x.b, x.autojunk, difflib.SequenceMatcher(None, x.a, x.b).ratio()",
        ),
        Case(
            name="textwrap.TextWrapper",
            make="x = textwrap.TextWrapper(width=10)",
            use="x.wrap('a long line of text'); x.width",
            changes=("x.width = 6", "x.initial_indent = '* '", "x.placeholder = '...'"),
            picture="vars(x), x.wrap('a long line of text')",
        ),
        Case(
            name="csv.Dialect",
            make="class Semi(csv.excel):\n    delimiter = ';'\nx = Semi()",
            use="x.delimiter; repr(type(x)); next(csv.reader(['a;b'], x))",
            changes=("x.delimiter = '|'", 'x.quotechar = "\'"', "x.delimiter = ','"),
            picture="x.delimiter, x.quotechar, next(csv.reader(['a;b|c,d'], x))",
        ),
        Case(
            name="ctypes.Structure",
            make="class Pair(ctypes.Structure):\n    _fields_ = [('a', ctypes.c_int), ('b', ctypes.c_double)]\nx = Pair(1, 2.0)",
            use="x.a; bytes(x); ctypes.sizeof(x)",
            changes=("x.a = 5", "x.b = 0.5", "x = Pair(7, 7)"),
            picture="x.a, x.b, bytes(x), isinstance(x, Pair)",
        ),
        Case(
            name="operator.attrgetter",
            make="x = operator.itemgetter(1)",
            use="repr(x); hash(x); x == x",
            changes=(
                "x = operator.itemgetter(0, 1)",
                "x = operator.attrgetter('real')",
                "x = operator.methodcaller('conjugate')",
            ),
            picture="repr(x)",
        ),
        Case(
            name="typing generic alias",
            make="x = list[int] | None",
            use="repr(x); hash(x); typing.get_args(x)",
            changes=(
                "x = dict[str, typing.Any]",
                "x = typing.Optional[typing.List[int]]",
                "x = typing.Callable[[int], str]",
            ),
            picture="repr(x), typing.get_args(x) == typing.get_args(eval(repr(x)))",
        ),
        Case(
            name="slice",
            make="x = slice(1, 5, 2)",
            use="x.start; repr(x); x == slice(1)",
            changes=("x = slice(None)", "x = slice([1], 'a')", "x.start.append(2)"),
            picture="repr(x)",
        ),
        Case(
            name="property object and staticmethod",
            make="x = property(lambda self: 5, doc='d')",
            use="x.fget(None); x.__doc__",
            changes=(
                "x = property(lambda self: 6)",
                "x = staticmethod(lambda: 7)",
                "x = property(lambda self: 8, lambda self, v: None)",
            ),
            picture="type(x).__name__, x.__func__() if isinstance(x, staticmethod) else (x.fget(None), x.fset is None)",
        ),
        refused("hashlib object", "x = hashlib.sha256(b'a')", "x.hexdigest(); x.name"),
        refused("sqlite3.Connection", "x = sqlite3.connect(':memory:'); _ = x.execute('create table t (a)')"),
        refused("generator", "x = (v for v in range(3))"),
        refused("threading.Lock", "x = threading.Lock()", "x.locked()"),
        refused("threading.Thread", "x = threading.Thread(target=print)", "x.name; x.is_alive()"),
        refused("open file", "x = open('file.txt', 'w')", "x.name; x.tell()"),
        refused("socket.socket", "x = socket.socket()", "x.family"),
        refused("queue.Queue", "x = queue.Queue(); x.put(1)", "x.qsize()"),
        refused("zipfile.ZipFile", "x = zipfile.ZipFile('z.zip', 'w')", "x.namelist()"),
        refused("subprocess.Popen", "x = subprocess.Popen(['true']); _ = x.wait()", "x.returncode"),
        refused("coroutine", "async def co(): pass\nx = co()", "x.cr_running"),
        Case(
            name="asyncio.Queue",
            make="x = asyncio.Queue(maxsize=3); x.put_nowait('a')",
            use="x.qsize(); x.full(); repr(type(x))",
            changes=("x.put_nowait('b')", "_ = x.get_nowait()", "x.put_nowait(['c'])"),
            picture="x.qsize(), list(x._queue), x.maxsize",
        ),
        refused("zlib.compressobj", "x = zlib.compressobj()"),
        refused("frame", "import sys; x = sys._getframe()", "x.f_lineno"),
        refused("csv.reader", "x = csv.reader(['a,b'])", "x.line_num"),
        refused("map with a lambda that reads a generator", "x = map(str, (v for v in range(3)))"),
    ),
)
