"""duckdb: connections and relations are handles."""

from case import Case, Library

LIBRARY = Library(
    package="duckdb",
    imports="import duckdb\nimport pandas as pd",
    cases=(
        Case(
            name="duckdb.DuckDBPyConnection",
            make="x = duckdb.connect()",
            use="x.execute('select 1').fetchall()",
            changes=(
                "x.execute('create table t (a int)')",
                "x.execute('create table u (a int)')",
                "x.execute('drop table t')",
            ),
            picture="x.execute('show tables').fetchall()",
            storable=False,
        ),
        Case(
            name="duckdb.DuckDBPyRelation",
            make="x = duckdb.sql('select 1 as a')",
            use="x.fetchall(); x.columns",
            changes=("x = x.project('a + 1 as a')", "x = x.union(x)", "x = x.limit(1)"),
            picture="x.fetchall()",
            storable=False,
        ),
        Case(
            name="list (a result of duckdb)",
            make="x = duckdb.sql('select 1 as a, date \\'2024-01-01\\' as d').fetchall()",
            use="x[0][0]; len(x)",
            changes=("x.append((2, None))", "x[0] = (7, x[0][1])", "x.pop()"),
            picture="x",
        ),
        Case(
            name="pandas.DataFrame (a result of duckdb)",
            make="x = duckdb.sql('select range as a from range(3)').df()",
            use="x.a.sum(); duckdb.sql('select sum(a) from x').fetchall()",
            changes=("x.loc[0, 'a'] = 5", "x['b'] = 1", "x.drop(index=1, inplace=True)"),
            picture="x.to_dict(), str(x.dtypes.to_dict())",
        ),
    ),
)
