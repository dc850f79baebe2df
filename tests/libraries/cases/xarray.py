"""xarray: labelled arrays in memory."""

from case import Case, Library

LIBRARY = Library(
    package="xarray",
    imports="import numpy as np\nimport pandas as pd\nimport xarray as xr",
    cases=(
        Case(
            name="xarray.DataArray",
            make="x = xr.DataArray(np.arange(6.0).reshape(2, 3), dims=('a', 'b'), coords={'a': ['p', 'q'], 'b': [1, 2, 3]},"
            " name='v', attrs={'unit': 'm'})",
            use="x.mean('a'); x.sel(a='p'); x.isel(b=0); x.values; repr(x); x._repr_html_();"
            " x.to_pandas(); x + 1; x.groupby('a').mean(); x.indexes; x.equals(x); x.coords['a']; x.T",
            changes=("x[0, 0] = 50", "x.attrs['unit'] = 'km'", "x.coords['b'] = [4, 5, 6]", "x.loc['q', 5] = -1"),
            picture="x.to_dict(), x.sizes, x.sel(a='q').sum().item(), {k: str(v.dtype) for k, v in x.coords.items()}",
        ),
        Case(
            name="xarray.Dataset",
            make="x = xr.Dataset({'t': (('time', 'p'), np.arange(6.0).reshape(3, 2)), 'r': ('time', [1, 2, 3])},"
            " coords={'time': pd.date_range('2024-01-01', periods=3), 'p': ['u', 'v']}, attrs={'title': 'd'})",
            use="x.mean(); x.sel(time='2024-01-02'); x['t']; x.t.resample(time='2D').mean(); repr(x); x._repr_html_();"
            " x.to_dataframe(); list(x); x.sizes; x.time.dt.day; x.nbytes; x.indexes['time']; x.chunks; x.encoding",
            changes=("x['s'] = x.t * 2", "x.t[0, 0] = 99", "x.attrs['title'] = 'e'", "del x['r']"),
            picture="str(x.to_dict()), dict(x.sizes), x.t.sel(p='v').values.tolist()",
        ),
        Case(
            name="xarray.DataArray (MultiIndex)",
            make="x = pd.Series(range(4), index=pd.MultiIndex.from_product([['a', 'b'], [1, 2]], names=['k', 'n']),"
            " name='s').rename_axis(['k', 'n']).to_xarray().stack(z=('k', 'n'))",
            use="x.mean(); x.isel(z=0); repr(x); dict(x.indexes); x.to_series(); x.coords['k']",
            changes=("x[0] = 9", "x = x.reset_index('z')", "x.name = 'u'"),
            picture="x.values.tolist(), x.name, sorted(x.coords), sorted(x.indexes)",
        ),
        Case(
            name="xarray.Variable",
            make="x = xr.Variable(('a',), [1.0, 2.0, 3.0], attrs={'u': 'm'})",
            use="x.mean(); x[0]; x.values; repr(x); x.dims; x + 1",
            changes=("x[0] = 9", "x.attrs['u'] = 'k'", "x.dims = ('b',)"),
            picture="x.to_dict()",
        ),
        Case(
            name="xarray.DataTree",
            make="x = xr.DataTree.from_dict({'/': xr.Dataset({'a': 1}), '/child': xr.Dataset({'b': ('t', [1, 2])})})",
            use="repr(x); x['child']; x.children; x['child/b'].mean(); x.to_dict(); list(x.subtree); x.path",
            changes=("x['child/b'][0] = 9", "x['other'] = xr.DataTree(xr.Dataset({'c': 3}))", "x.attrs['k'] = 'v'"),
            picture="{k: v.to_dict() for k, v in x.to_dict().items()}, x.attrs, x['child'].parent is x",
        ),
        Case(
            name="xarray.Dataset (dask)",
            make="x = xr.Dataset({'t': ('a', np.arange(6.0))}).chunk(a=3)",
            use="x.t.mean().compute(); x.chunks; repr(x); x._repr_html_(); x.t.shape",
            changes=("x['u'] = x.t + 1", "x = x.chunk(a=2)", "x.load()"),
            picture="str(x.compute().to_dict()), dict(x.chunksizes), type(x.t.data).__name__",
        ),
        Case(
            name="xarray.DataArrayGroupBy",
            make="d = xr.DataArray([1.0, 2.0, 3.0], dims='a', coords={'a': [0, 0, 1]}); x = d.groupby('a')",
            use="x.mean(); len(x); x.groups; list(x); repr(x)",
            changes=(
                "d[0] = 10",
                "x = d.groupby(d > 2)",
                "x = xr.DataArray([4.0, 5.0], dims='q', coords={'q': [1, 1]}).groupby('q')",
            ),
            picture="x.sum().to_dict(), len(x), sorted(map(str, x.groups))",
        ),
    ),
)
