"""pint: quantities refer to the registry that made them."""

from case import Case, Library

LIBRARY = Library(
    package="pint",
    imports="import numpy as np\nimport pint\nu = pint.UnitRegistry()",
    cases=(
        Case(
            name="pint.Quantity",
            make="x = np.array([1.0, 2.0]) * u.meter",
            use="x.to('km'); x.magnitude.sum(); repr(x); x.dimensionality",
            changes=("x[0] = 5 * u.meter", "x.ito('cm')", "x += 1 * u.meter"),
            picture="x.magnitude.tolist(), str(x.units), str(x.dimensionality), type(x) is u.Quantity, (x + 1 * u.mm).magnitude.tolist()",
        ),
        Case(
            name="pint.Quantity (a number)",
            make="x = 3 * u.second",
            use="x.to_base_units(); f'{x:~}'; x == 3; repr(x)",
            changes=("x = x * 2", "x.ito('minute')", "x = x / (2 * u.meter)"),
            picture="x.magnitude, str(x.units), f'{x:~P}'",
        ),
        Case(
            name="pint.UnitRegistry",
            make="x = pint.UnitRegistry()",
            use="x('3 km').to('m'); x.meter; repr(x)",
            changes=(
                "x.define('smoot = 1.7 * meter')",
                "x.formatter.default_format = '~P'",
                "x.define('@alias meter = my_meter')",
            ),
            picture="[n in x for n in ('smoot', 'my_meter')], x.formatter.default_format, f\"{x('3 km').to('m')}\"",
        ),
        Case(
            name="pint.Unit",
            make="x = u.Unit('km / hour')",
            use="repr(x); x.dimensionality; x == u.km",
            changes=("x = x * u.second", "x = x ** 2", "x = u.Unit('degC')"),
            picture="str(x), str(x.dimensionality)",
        ),
    ),
)
