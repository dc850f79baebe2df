"""h5py: an open file is a handle."""

from case import Case, Library

LIBRARY = Library(
    package="h5py",
    imports="import h5py\nimport numpy as np",
    cases=(
        Case(
            name="h5py.File",
            make="x = h5py.File('open.h5', 'w'); x['d'] = np.arange(3)",
            use="x['d'][:]; list(x)",
            changes=("x['d'][0] = 5", "x['e'] = 1", "x.attrs['k'] = 2"),
            picture="x['d'][:].tolist(), sorted(x), dict(x.attrs)",
            storable=False,
        ),
        Case(
            name="h5py.Dataset",
            make="a = h5py.File('set.h5', 'w'); x = a.create_dataset('d', data=np.arange(3))",
            use="x[:]; x.shape",
            changes=("x[0] = 5", "x[1] = 6", "x.attrs['k'] = 2"),
            picture="x[:].tolist(), dict(x.attrs)",
            storable=False,
        ),
        Case(
            name="h5py.special_dtype",
            make="x = h5py.string_dtype()",
            use="h5py.check_string_dtype(x)",
            changes=("x = h5py.vlen_dtype(int)", "x = h5py.enum_dtype({'a': 1})", "x = np.dtype('i4')"),
            picture="repr(x), str(h5py.check_vlen_dtype(x)), str(h5py.check_enum_dtype(x))",
        ),
    ),
)
