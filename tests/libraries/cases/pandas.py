"""pandas: frames, series and indexes of each kind of column, and the objects that look at them."""

from case import Case, Library

LIBRARY = Library(
    package="pandas",
    imports="import numpy as np\nimport pandas as pd",
    cases=(
        Case(
            name="pandas.DataFrame (numeric)",
            make="x = pd.DataFrame({'a': np.arange(5), 'b': np.linspace(0, 1, 5), 'c': [True, False] * 2 + [True]})",
            use="x.describe(); x.head(); x['a'] + x.b; x.iloc[1:3]; x.loc[2, 'a']; x.groupby('c').mean(); repr(x);"
            " x._repr_html_(); len(x); list(x.itertuples()); x.values; x.index.is_unique; x.columns.get_loc('b')",
            changes=("x.loc[0, 'a'] = 50", "x['d'] = x.a * 2", "x.drop(index=[3], inplace=True)"),
            picture="x.to_dict('split'), x.dtypes.astype(str).to_dict(), x.index.tolist(), type(x.index).__name__",
        ),
        Case(
            name="pandas.DataFrame (strings)",
            make="x = pd.DataFrame({'name': ['ann', 'bob', None], 'o': [[1], {'k': 2}, 'text']}, index=list('xyz'))",
            use="x.name.str.upper(); x.name.value_counts(); x.loc['y']; x.to_csv(); x.isna().sum(); x.sort_values('name')",
            changes=(
                "x.loc['x', 'name'] = 'zoe'",
                "x.o.iloc[0].append(2)",
                "x.rename(columns={'o': 'p'}, inplace=True)",
            ),
            picture="x.to_dict('split'), x.dtypes.astype(str).to_dict(), str(x.index.dtype)",
        ),
        Case(
            name="pandas.DataFrame (categories, time zones, nullable)",
            make="""
x = pd.DataFrame({
    'cat': pd.Categorical(['lo', 'hi', 'lo'], categories=['lo', 'hi'], ordered=True),
    'when': pd.date_range('2024-03-30', periods=3, tz='Europe/Berlin'),
    'n': pd.array([1, None, 3], dtype='Int64'),
    'b': pd.array([True, None, False], dtype='boolean'),
    'td': pd.to_timedelta([1, 2, 3], unit='h'),
    'p': pd.period_range('2024-01', periods=3, freq='M'),
})
""",
            use="x.cat.min(); x.when.dt.tz_convert('UTC'); x.n.sum(); x.dtypes; x.describe(); x.groupby('cat', observed=True)"
            ".n.sum(); repr(x); x.memory_usage(deep=True)",
            changes=(
                "x.loc[1, 'n'] = 20",
                "x['cat'] = x.cat.cat.add_categories(['top'])",
                "x.loc[0, 'when'] = pd.Timestamp('2025-01-01', tz='Europe/Berlin')",
                "x.loc[2, 'b'] = pd.NA",
            ),
            picture="x.astype(str).to_dict('split'), x.dtypes.astype(str).to_dict(), x.cat.cat.categories.tolist(),"
            " x.cat.cat.ordered, x.cat.cat.codes.tolist()",
        ),
        Case(
            name="pandas.DataFrame (MultiIndex, attrs)",
            make="""
x = pd.DataFrame(
    np.arange(8.0).reshape(4, 2),
    index=pd.MultiIndex.from_product([['a', 'b'], [1, 2]], names=['k', 'n']),
    columns=pd.MultiIndex.from_tuples([('u', 'v'), ('u', 'w')]),
)
x.attrs['unit'] = 'm'
""",
            use="x.loc['a']; x.xs(1, level='n'); x.unstack(); x['u', 'v']; x.sort_index(); repr(x); x.index.get_level_values(0)",
            changes=("x.loc[('a', 1), ('u', 'v')] = -1", "x.attrs['unit'] = 'km'", "x.index.names = ['key', 'n']"),
            picture="x.values.tolist(), x.index.tolist(), x.index.names, x.columns.tolist(), x.attrs,"
            " x.index.levels[0].tolist()",
        ),
        Case(
            name="pandas.Series",
            make="x = pd.Series([1.5, 2.5, None, 4.0], index=['a', 'b', 'c', 'd'], name='s')",
            use="x.mean(); x['b']; x.rolling(2).sum(); x.isna(); x.to_dict(); 'a' in x; repr(x)",
            changes=("x['a'] = 9", "x.fillna(0, inplace=True)", "x.name = 't'"),
            picture="x.to_dict(), x.name, str(x.dtype), x.index.tolist()",
        ),
        Case(
            name="pandas.Series (column of a frame)",
            make="df = pd.DataFrame({'a': [1, 2, 3], 'b': [4, 5, 6]}); x = df['a']",
            use="x.sum(); df.a + 1; df.head(); repr(x)",
            changes=("x.iloc[0] = 10", "x.loc[1] = 20", "x.name = 'z'"),
            picture="x.tolist(), x.name, x.index.tolist()",
        ),
        Case(
            name="pandas.DatetimeIndex",
            make="x = pd.date_range('2024-01-01', periods=4, freq='D', tz='UTC', name='t')",
            use="x.day_name(); x.get_loc(x[1]); x.max(); x.is_monotonic_increasing; x.month; repr(x); x[1]; list(x)",
            changes=("x.name = 'when'", "x = x.shift(1)", "x = x[[0, 2, 3]]", "x.freq = None; x.name = 'last'"),
            picture="x.astype(str).tolist(), x.name, x.freqstr, str(x.dtype)",
        ),
        Case(
            name="pandas.Index",
            make="x = pd.Index(['b', 'a', 'c'], name='i')",
            use="x.get_loc('a'); 'b' in x; x.is_unique; x.sort_values(); x.get_indexer(['c', 'q']); repr(x); x.values; x.array",
            changes=("x.name = 'j'", "x = x.append(pd.Index(['d']))", "x = x.astype(object).rename('k')"),
            picture="x.tolist(), x.name, str(x.dtype)",
        ),
        Case(
            name="pandas.MultiIndex",
            make="x = pd.MultiIndex.from_product([['a', 'b'], [1, 2]], names=['k', 'n'])",
            use="x.get_loc(x[0]); x.get_level_values(1); x.is_unique; x.to_frame(); list(x); x.values; x.is_monotonic_increasing; repr(x)",
            changes=("x.names = ['q', 'r']", "x = x.set_levels([['c', 'd'], [1, 2]])", "x = x[:3]"),
            picture="x.tolist(), x.names, [v.tolist() for v in x.levels], [v.tolist() for v in x.codes]",
        ),
        Case(
            name="pandas.core.groupby.DataFrameGroupBy",
            make="df = pd.DataFrame({'k': list('aabb'), 'v': [1, 2, 3, 4], 'w': [1.0, 2, 3, 4]}); x = df.groupby('k')",
            use="x.mean(); x.groups; x.ngroups; [k for k, g in x]; x.max(); x.agg('count'); repr(x)",
            changes=(
                "df.loc[0, 'v'] = 100",
                "x = df.groupby('k', sort=False, as_index=False)",
                "x = df.groupby('w')[['v']]",
            ),
            picture="x.sum().to_dict('split'), x.obj.to_dict('list'), x.as_index, x.sort,"
            " [(k, v.tolist()) for k, v in x.groups.items()]",
        ),
        Case(
            name="pandas.core.groupby.SeriesGroupBy",
            make="s = pd.Series([1, 2, 3, 4], name='v'); x = s.groupby([0, 0, 1, 1])",
            use="x.mean(); x.groups; x.transform('sum'); x.cumsum(); len(x)",
            changes=("s.iloc[0] = 100", "x = s.groupby(lambda i: i > 0)", "x = s.groupby(s % 2)"),
            picture="x.sum().to_dict(), x.obj.tolist(), {k: v.tolist() for k, v in x.groups.items()}",
        ),
        Case(
            name="pandas.Categorical",
            make="x = pd.Categorical(['a', 'b', 'a', None])",
            use="x.codes; x.describe(); x.value_counts(); x == 'a'; x.categories; repr(x); len(x)",
            changes=("x[0] = 'b'", "x[1] = None", "x = x.reorder_categories(['b', 'a'], ordered=True)"),
            picture="x.tolist(), x.codes.tolist(), x.categories.tolist(), x.ordered",
        ),
        Case(
            name="pandas.Interval",
            make="x = pd.Interval(0, 5, closed='left')",
            use="3 in x; x.mid; x.length; x.overlaps(pd.Interval(4, 6)); repr(x); hash(x)",
            changes=("x = x + 1", "x = pd.Interval(1, 6, closed='both')", "x = pd.Interval(1.5, 6.0, closed='both')"),
            picture="repr(x), 1 in x, x.mid",
        ),
        Case(
            name="pandas.IntervalIndex",
            make="x = pd.interval_range(0, 4, name='iv')",
            use="x.get_loc(1.5); x.mid; x.contains(2); x.is_overlapping; x.get_indexer([0.5, 2.5]); repr(x); x.left",
            changes=("x.name = 'w'", "x = x.set_closed('left')", "x = x[1:]"),
            picture="[str(v) for v in x], x.name, x.closed, str(x.dtype)",
        ),
        Case(
            name="pandas.IntervalArray",
            make="x = pd.arrays.IntervalArray.from_breaks([0.0, 1.0, 2.0, 5.0])",
            use="x.mid; x.length; x.contains(1.5); x.is_non_overlapping_monotonic; repr(x)",
            changes=("x[0] = pd.Interval(7.0, 8.0)", "x[1] = None", "x = x.set_closed('left')"),
            picture="[str(v) for v in x], x.closed, str(x.dtype)",
        ),
        Case(
            name="pandas.Timestamp",
            make="x = pd.Timestamp('2024-03-31 01:30:00.123456789', tz='Europe/Paris')",
            use="x.day_name(); x.floor('h'); x + pd.Timedelta('1D'); x.isoformat(); hash(x); repr(x); x.value",
            changes=("x += pd.Timedelta('1h')", "x = x.tz_localize(None)", "x = x.as_unit('s')"),
            picture="repr(x), x.unit, x.value, str(x.tz), x.nanosecond",
        ),
        Case(
            name="pandas.Timedelta",
            make="x = pd.Timedelta('1 days 02:03:04.000000005')",
            use="x.total_seconds(); x.components; x * 2; hash(x); repr(x); x.isoformat()",
            changes=("x = x * 2", "x = x.as_unit('ms')", "x = -x"),
            picture="repr(x), x.unit, x.value",
        ),
        Case(
            name="pandas.Period",
            make="x = pd.Period('2024-02', freq='M')",
            use="x.start_time; x.end_time; x.days_in_month; x + 1; hash(x); repr(x)",
            changes=("x += 1", "x = x.asfreq('D')", "x = pd.Period('2024Q1')"),
            picture="repr(x), x.ordinal, x.freqstr",
        ),
        Case(
            name="pandas.PeriodIndex",
            make="x = pd.period_range('2024-01', periods=3, freq='Q', name='q')",
            use="x.to_timestamp(); x.get_loc(x[1]); x.quarter; repr(x); x.is_full; x[0]",
            changes=("x.name = 'r'", "x = x + 1", "x = x.asfreq('M')"),
            picture="x.astype(str).tolist(), x.name, x.freqstr",
        ),
        Case(
            name="pandas.TimedeltaIndex",
            make="x = pd.timedelta_range('1h', periods=3, name='d')",
            use="x.total_seconds(); x.get_loc(x[0]); x.sum(); repr(x); x.components",
            changes=("x.name = 'e'", "x = x * 2", "x = x[1:]"),
            picture="x.astype(str).tolist(), x.name, x.freqstr",
        ),
        Case(
            name="pandas.RangeIndex",
            make="x = pd.RangeIndex(1, 9, 2, name='r')",
            use="x.tolist(); 3 in x; x.get_loc(x[1]); x.max(); x.values; x.is_unique; repr(x); x + 1",
            changes=("x.name = 's'", "x = x[::2]", "x = x + 1"),
            picture="type(x).__name__, x.tolist(), x.name, x.start, x.stop, x.step",
        ),
        Case(
            name="pandas.Rolling",
            make="s = pd.Series([1.0, 2, 3, 4, 5]); x = s.rolling(2)",
            use="x.mean(); x.sum(); x.apply(max); [w.tolist() for w in x]; repr(x)",
            changes=("s.iloc[0] = 10", "x = s.rolling(3, center=True)", "x = s.rolling(3, min_periods=1)"),
            picture="x.sum().tolist(), x.window, x.min_periods, x.center, x.obj.tolist(), s.tolist()",
        ),
        Case(
            name="pandas.ExponentialMovingWindow",
            make="s = pd.Series([1.0, 2, 3]); x = s.ewm(span=3)",
            use="x.mean(); x.std(); repr(x)",
            changes=("s.iloc[1] = 7", "x = s.ewm(alpha=0.3)", "x = s.ewm(alpha=0.3, adjust=False)"),
            picture="x.mean().round(9).tolist(), x.span, x.alpha, x.adjust, s.tolist()",
        ),
        Case(
            name="pandas.Resampler",
            make="s = pd.Series(range(6), index=pd.date_range('2024-01-01', periods=6, freq='h')); x = s.resample('2h')",
            use="x.sum(); x.mean(); x.ohlc(); x.groups; repr(x)",
            changes=("s.iloc[0] = 10", "x = s.resample('3h')", "x = s.resample('3h', closed='right')"),
            picture="x.sum().tolist(), [str(v) for v in x.sum().index], s.tolist()",
        ),
        Case(
            name="pandas.arrays.SparseArray",
            make="x = pd.arrays.SparseArray([0, 0, 1, 2, 0])",
            use="x.density; x.to_dense(); x.sum(); x == 1; repr(x); x.sp_values",
            changes=("x.fill_value = 7", "x = pd.arrays.SparseArray([0, 3, 1, 2, 0])", "x.sp_values[0] = 9"),
            picture="np.asarray(x).tolist(), x.fill_value, x.sp_values.tolist(), x.sp_index.indices.tolist(), str(x.dtype)",
        ),
        Case(
            name="pandas.arrays.IntegerArray",
            make="x = pd.array([1, None, 3], dtype='Int64')",
            use="x.sum(); x + 1; x.isna(); x == 1; repr(x)",
            changes=("x[1] = 2", "x[0] = pd.NA", "x *= 3"),
            picture="[None if v is pd.NA else int(v) for v in x], str(x.dtype)",
        ),
        Case(
            name="pandas.arrays.ArrowStringArray",
            make="x = pd.array(['a', None, 'ccc'], dtype='string[pyarrow]')",
            use="x == 'a'; x.isna(); repr(x); list(x)",
            changes=("x[0] = 'z'", "x[1] = 'filled'", "x[2] = pd.NA"),
            picture="[None if v is pd.NA else v for v in x], repr(x.dtype)",
        ),
        Case(
            name="pandas.arrays.DatetimeArray",
            make="x = pd.array(pd.date_range('2024-01-01', periods=3, tz='Asia/Tokyo'))",
            use="x.year; x.tz_convert('UTC'); x.max(); repr(x)",
            changes=("x[0] = pd.Timestamp('2023-05-05', tz='Asia/Tokyo')", "x[1] = pd.NaT", "x += pd.Timedelta('1D')"),
            picture="[str(v) for v in x], str(x.dtype)",
        ),
        Case(
            name="pandas.tseries.offsets.CustomBusinessDay",
            make="x = pd.offsets.CustomBusinessDay(holidays=['2024-01-02'])",
            use="pd.Timestamp('2024-01-01') + x; repr(x); x.is_on_offset(pd.Timestamp('2024-01-02')); hash(x)",
            changes=(
                "x = 2 * x",
                "x = pd.offsets.CustomBusinessDay(weekmask='Sun Mon')",
                "x = pd.offsets.BusinessHour(start='10:00')",
            ),
            picture="repr(x), str(pd.Timestamp('2024-01-01') + x), x.n",
        ),
        Case(
            name="pandas.io.formats.style.Styler",
            make="df = pd.DataFrame({'a': [1.234, 5.678]}); x = df.style.format('{:.1f}')",
            use="x.to_html(); repr(x.data)",
            changes=("x.highlight_max(color='red')", "x.set_caption('title')", "df.loc[0, 'a'] = 9.87"),
            picture="x.to_html(uuid='u'), df.to_dict('list')",
        ),
        Case(
            name="pandas.Grouper",
            make="x = pd.Grouper(key='k')",
            use="repr(x); pd.DataFrame({'k': [1, 1, 2], 'v': [1, 2, 3], 'w': 1}).groupby(x).sum()",
            changes=("x.key = 'v'", "x.sort = True", "x = pd.Grouper(key='w', freq=None, sort=False)"),
            picture="x.key, x.sort, pd.DataFrame({'k': [1, 1, 2], 'v': [1, 2, 3], 'w': 1}).groupby(x).sum().to_dict()",
        ),
    ),
)
