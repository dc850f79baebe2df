"""polars: frames and series that some methods change in place, lazy frames and expressions that none does."""

from case import Case, Library

LIBRARY = Library(
    package="polars",
    imports="import polars as pl\nimport datetime as dt",
    cases=(
        Case(
            name="polars.DataFrame",
            make="x = pl.DataFrame({'a': [1, 2, 3], 's': ['x', None, 'z'], 'f': [0.5, 1.5, 2.5]})",
            use="x.describe(); x.head(2); x['a'].sum(); x.filter(pl.col('a') > 1); x.group_by('s').len(); repr(x);"
            " x._repr_html_(); len(x); list(x.iter_rows()); x.schema; x.equals(x); x.estimated_size(); x.glimpse()",
            changes=(
                "x[0, 'a'] = 10",
                "x.insert_column(1, pl.Series('new', [True, False, None]))",
                "x.columns = ['a', 'n', 's', 'g']",
                "x.extend(x)",
            ),
            picture="x.to_dict(as_series=False), x.columns, [str(t) for t in x.dtypes]",
        ),
        Case(
            name="polars.DataFrame (categories, dates, lists, structs)",
            make="""
x = pl.DataFrame({
    'c': pl.Series(['lo', 'hi', 'lo'], dtype=pl.Categorical),
    'e': pl.Series(['lo', 'hi', 'lo'], dtype=pl.Enum(['lo', 'hi'])),
    'd': [dt.datetime(2024, 1, d, tzinfo=dt.timezone.utc) for d in (1, 2, 3)],
    'l': [[1, 2], [], None],
    'st': [{'k': 1}, {'k': 2}, {'k': None}],
    'n': pl.Series(['1.10', '2.20', None]).cast(pl.Decimal(10, 2)),
})
""",
            use="x['c'].unique(); x['d'].dt.year(); x['l'].list.len(); x['e'].dtype.categories; repr(x); x.to_dicts()",
            changes=(
                "x.replace_column(3, pl.Series('l', [[9], [], None]))",
                "x.drop_in_place('st')",
                "x[0, 'd'] = dt.datetime(2020, 5, 5, tzinfo=dt.timezone.utc)",
            ),
            picture="repr(x.to_dicts()), [str(t) for t in x.dtypes]",
        ),
        Case(
            name="polars.Series",
            make="x = pl.Series('v', [1, 2, None, 4])",
            use="x.sum(); x.is_null(); x[1]; x.to_list(); x.value_counts(); x.sort(); repr(x); len(x); list(x); x.flags",
            changes=("x[2] = 30", "x.append(pl.Series([5]))", "x.sort(in_place=True)"),
            picture="x.to_list(), x.name, str(x.dtype)",
        ),
        Case(
            name="polars.LazyFrame",
            make="x = pl.LazyFrame({'a': [1, 2, 3], 'b': [1, 1, 2]}).filter(pl.col('a') > 1)",
            use="x.collect(); x.explain(); x.collect_schema(); x.head(1).collect(); repr(type(x))",
            changes=(
                "x = x.with_columns(c=pl.col('a') * 2)",
                "x = x.group_by('b').agg(pl.col('c').sum()).sort('b')",
                "x = x.select(pl.all().name.suffix('_x'))",
            ),
            picture="x.collect().to_dict(as_series=False), x.collect_schema().names()",
        ),
        Case(
            name="polars.DataFrame (long columns)",
            make="""
from datetime import datetime
x = pl.DataFrame({
    'n': range(20_000), 'f': [i / 7 for i in range(20_000)], 's': [str(i % 9) for i in range(20_000)],
    'missing': [None if i % 5 else i for i in range(20_000)],
    'when': [datetime(2024, 1, 1, i % 24) for i in range(20_000)],
})
x = x.with_columns(x['n'].set_sorted(), zone=x['when'].dt.replace_time_zone('Europe/Berlin'), day=x['when'].dt.date(),
                   nan=pl.lit(float('nan')).cast(pl.Float32))
y = x['f']
""",
            use="x.describe(); x.filter(pl.col('n') > 3); x.sort('f'); x['n'].to_numpy(); x.group_by('s').len(); y.sum()",
            changes=(
                "x[3, 'n'] = -1",
                "x = x.with_columns(pl.col('f') * 2)",
                "x = x.vstack(x.head(2))",
                "x = x.rechunk().rename({'missing': 'gone'})",
            ),
            picture="x.schema, x.flags, x.height, x.head(5).rows(), x.tail(3).rows(),"
            " x.drop('nan').hash_rows(seed=1).sum(), x['nan'].is_nan().all(), y.sum()",
        ),
        Case(
            name="polars.Series (long, its numpy view)",
            make="x = pl.Series('s', list(range(20_000)), dtype=pl.UInt16); view = x.to_numpy(); short = x[10:15]",
            use="x.sum(); view.sum(); x.sort(); repr(x); short.mean()",
            changes=("x[7] = 9", "x.extend(pl.Series('s', [1, 2], dtype=pl.UInt16))", "x = x.cast(pl.Duration('us'))"),
            picture="x.dtype, x.name, len(x), x.head(20).to_list(), x.tail(3).to_list(), x.hash(1).sum(), short.to_list(),"
            " view[:10].tolist(), view.flags.writeable",
        ),
        Case(
            name="polars.LazyFrame (Python function)",
            make="x = pl.LazyFrame({'a': [1, 2, 3]}).with_columns(pl.col('a').map_elements(lambda v: v + 1, pl.Int64))",
            use="x.collect(); x.collect_schema()",
            changes=(
                "x = x.with_columns(c=pl.col('a').map_elements(lambda v: v * 2, return_dtype=pl.Int64))",
                "x = x.filter(pl.col('c') > 4)",
                "x = x.map_batches(lambda d: d.head(1))",
            ),
            picture="x.collect().to_dict(as_series=False), x.collect_schema().names()",
        ),
        Case(
            name="polars.LazyFrame (scan of a file)",
            make="pl.DataFrame({'a': [1, 2, 3]}).write_csv('scanned.csv'); x = pl.scan_csv('scanned.csv')",
            use="x.collect(); x.explain(); x.collect_schema()",
            changes=("x = x.filter(pl.col('a') > 1)", "x = x.with_row_index()", "x = x.tail(1)"),
            picture="x.collect().to_dict(as_series=False)",
        ),
        Case(
            name="polars.Expr",
            make="x = pl.col('a') + 1",
            use="repr(x); pl.DataFrame({'a': [1], 'k': [1]}).select(x); x.meta.root_names(); x.meta.output_name()",
            changes=("x = x.alias('b')", "x = (x * 2).over('k')", "x = pl.when(pl.col('a') > 1).then(x).otherwise(0)"),
            picture="str(x), pl.DataFrame({'a': [1, 2], 'k': [1, 1]}).select(x).to_dict(as_series=False)",
        ),
        Case(
            name="polars.dataframe.group_by.GroupBy",
            make="df = pl.DataFrame({'k': ['a', 'b', 'a'], 'v': [1, 2, 3]}); x = df.group_by('k', maintain_order=True)",
            use="x.agg(n=pl.len()); x.len(); x.head(1)",
            changes=(
                "df[0, 'v'] = 10",
                "x = df.group_by('v', maintain_order=True)",
                "x = df.group_by(pl.col('v') > 2)",
            ),
            picture="x.len().sort('len', pl.first()).to_dict(as_series=False), x.df.to_dict(as_series=False)",
        ),
        Case(
            name="polars.Schema",
            make="x = pl.Schema({'a': pl.Int64, 'b': pl.List(pl.String)})",
            use="x.names(); x['b']; x.to_frame(); repr(x); len(x)",
            changes=("x['c'] = pl.Datetime('us', 'UTC')", "del x['a']", "x['b'] = pl.Enum(['p', 'q'])"),
            picture="repr(x), type(x).__name__",
        ),
        Case(
            name="polars.DataType",
            make="x = pl.Enum(['a', 'b'])",
            use="repr(x); pl.Series([None], dtype=x); hash(x); x.is_nested()",
            changes=(
                "x = pl.Enum(['a', 'b', 'c'])",
                "x = pl.Datetime('ns')",
                "x = pl.Struct({'a': pl.Array(pl.Int8, 2)})",
            ),
            picture="repr(x)",
        ),
        Case(
            name="polars.SQLContext",
            make="x = pl.SQLContext(t=pl.DataFrame({'a': [1, 2]}), eager=True)",
            use="x.execute('select sum(a) from t'); x.tables(); repr(x)",
            changes=(),
            picture="x.tables(), x.execute('select * from t').to_dict(as_series=False)",
            storable=False,
        ),
    ),
)
