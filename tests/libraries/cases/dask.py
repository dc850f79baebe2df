"""dask: collections are graphs of tasks that are not yet done."""

from case import Case, Library

LIBRARY = Library(
    package="dask",
    imports="""
import dask
import numpy as np
import pandas as pd
import dask.array as da
import dask.bag as db
import dask.dataframe as dd
dask.config.set(scheduler='synchronous')
""".strip(),
    cases=(
        Case(
            name="dask.array.Array",
            make="x = da.from_array(np.arange(12.0).reshape(3, 4), chunks=(3, 2), name='base')",
            use="x.sum().compute(); x.chunks; x.shape; repr(x); x._repr_html_(); x.T; x[0]; x.numblocks; x.name; x.nbytes",
            changes=("x[0, 0] = 9", "x = x + 1", "x = x.rechunk((1, 4))"),
            picture="x.compute().tolist(), x.chunks, x.dtype.str",
        ),
        Case(
            name="dask.array.Array (random)",
            make="x = da.random.default_rng(0).normal(size=(4,), chunks=2)",
            use="x.mean().compute(); repr(x); x.chunks",
            changes=("x[1] = 0", "x = x * 2", "x = x[::2]"),
            picture="x.compute().round(9).tolist(), x.chunks",
        ),
        Case(
            name="dask.dataframe.DataFrame",
            make="x = dd.from_pandas(pd.DataFrame({'a': [1, 2, 3, 4], 'g': list('ppqq')}), npartitions=2)",
            use="x.a.sum().compute(); x.groupby('g').a.mean().compute(); x.head(); x.columns; repr(x); x.divisions; len(x);"
            " x.npartitions; x.dtypes; x._repr_html_(); x.optimize()",
            changes=("x['b'] = x.a * 2", "x = x[x.a > 1]", "x = x.repartition(npartitions=1)"),
            picture="x.compute().to_dict('split'), x.npartitions, x.columns.tolist()",
        ),
        Case(
            name="dask.dataframe.Series",
            make="x = dd.from_pandas(pd.Series([1.0, 2.0, 3.0], name='s'), npartitions=2)",
            use="x.sum().compute(); x.name; repr(x); x.map_partitions(len).compute()",
            changes=("x = x + 1", "x = x.rename('r')", "x = x.map(lambda v: v * 3, meta=('r', 'f8'))"),
            picture="x.compute().tolist(), x.name, x.npartitions",
        ),
        Case(
            name="dask.bag.Bag",
            make="x = db.from_sequence([1, 2, 3, 4], npartitions=2)",
            use="x.sum().compute(); x.take(2); repr(x); x.npartitions; x.frequencies().compute()",
            changes=("x = x.map(lambda v: v + 1)", "x = x.filter(lambda v: v % 2)", "x = x.repartition(1)"),
            picture="x.compute(), x.npartitions",
        ),
        Case(
            name="dask.delayed",
            make="x = dask.delayed(sum)([1, 2, 3])",
            use="x.compute(); repr(type(x)); x.key; dask.compute(x); dict(x.dask)",
            changes=("x = x + 1", "x = dask.delayed(lambda v: v * 2)(x)", "x = dask.delayed(max)(x, 5)"),
            picture="x.compute(), len(dict(x.dask))",
        ),
    ),
)
