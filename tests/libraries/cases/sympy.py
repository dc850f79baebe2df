"""sympy: expressions cannot be changed, matrices can; equal symbols are one object."""

from case import Case, Library

LIBRARY = Library(
    package="sympy",
    imports="import sympy as sp\nfrom sympy.abc import a, b, t",
    cases=(
        Case(
            name="sympy.Symbol",
            make="x = sp.Symbol('q', positive=True)",
            use="x.is_positive; sp.sqrt(x**2); str(x); hash(x); x == sp.Symbol('q'); sp.diff(x**2, x)",
            changes=("x = sp.Symbol('r')", "x = sp.Symbol('r', integer=True)", "x = sp.Dummy('r', integer=True)"),
            picture="str(x), type(x).__name__, x.is_positive, x.is_integer, str(sp.sqrt(x**2)), x == sp.Symbol('r')",
        ),
        Case(
            name="sympy.Expr",
            make="x = sp.sin(a) ** 2 + sp.cos(a) ** 2 + b / 3",
            use="sp.simplify(x); x.xreplace({a: b}); str(x); x._repr_latex_(); hash(x); x.free_symbols; x == x;"
            " x.args; x.atoms(); x.doit(); sp.latex(x)",
            changes=("x = x.subs(b, a)", "x = sp.Integral(x, (a, 0, 1))", "x = sp.Eq(x, sp.pi / 4)"),
            picture="sp.srepr(x), sorted(map(str, x.free_symbols))",
        ),
        Case(
            name="sympy.Matrix",
            make="x = sp.Matrix([[1, a], [b, 2]])",
            use="x.det(); x.T; x.inv(); x.eigenvals(); x[0, 1]; repr(x); x.shape; x * x; x.applyfunc(lambda v: v + 1)",
            changes=("x[0, 0] = 5", "x[1, :] = sp.Matrix([[a, a + 1]])", "x.row_swap(0, 1)"),
            picture="sp.srepr(x), str(x.det()), type(x).__name__",
        ),
        Case(
            name="sympy.ImmutableMatrix",
            make="x = sp.ImmutableMatrix([[1, 2], [3, 4]])",
            use="x.det(); hash(x); repr(x); x.T",
            changes=("x = x * 2", "x = x.T", "x = sp.ImmutableSparseMatrix(x)"),
            picture="sp.srepr(x), type(x).__name__",
        ),
        Case(
            name="sympy.SparseMatrix",
            make="x = sp.SparseMatrix(3, 3, {(0, 0): 1, (2, 1): a})",
            use="x.todok(); x.nnz(); x.T; repr(x)",
            changes=("x[1, 1] = 7", "x[0, 0] = 0", "x[2, 2] = b"),
            picture="sp.srepr(x), str(x.todok())",
        ),
        Case(
            name="sympy.Function",
            make="x = sp.Function('f')",
            use="x(t).diff(t); str(x); sp.dsolve(x(t).diff(t) - x(t), x(t)); x == sp.Function('f')",
            changes=("x = sp.Function('g')", "x = sp.Lambda(t, t**2 + 1)", "x = sp.Function('h', real=True)"),
            picture="str(x), sp.srepr(x(t)), x(t).is_real",
        ),
        Case(
            name="sympy.Poly",
            make="x = sp.Poly(a**2 - 3*a + 2, a)",
            use="x.total_degree(); x.factor_list(); x.terms(); repr(x); x.diff(a)",
            changes=("x = x * x", "x = sp.Poly(a + b, a, b)", "x = sp.Poly(a + 1, a, modulus=3)"),
            picture="repr(x), x.gens, str(x.domain), x.as_expr()",
        ),
        Case(
            name="sympy.Piecewise and solution sets",
            make="x = sp.Piecewise((a, a < 0), (a**2, True))",
            use="repr(x); hash(x); x == x",
            changes=("x = sp.solveset(a**2 - 4, a)", "x = sp.Interval(0, 1)", "x = sp.FiniteSet(1, 2, b)"),
            picture="sp.srepr(x)",
        ),
        Case(
            name="sympy lambdified function",
            make="x = sp.lambdify((a, b), a + sp.sin(b), 'math')",
            use="x(1, 2); x.__doc__; x.__name__",
            changes=(
                "x = sp.lambdify(a, a * 2, 'math')",
                "x = sp.lambdify(a, sp.exp(a), 'numpy')",
                "x = sp.lambdify((a, b), [a, b + 1])",
            ),
            picture="x.__code__.co_argcount, str(x(*[0.5] * x.__code__.co_argcount))",
        ),
        Case(
            name="sympy.Array (mutable)",
            make="x = sp.MutableDenseNDimArray([1, 2, 3, 4], (2, 2))",
            use="x[0, 1]; x.shape; repr(x); x.tolist(); x + x",
            changes=("x[0, 0] = a", "x[1, 1] = b", "x = sp.ImmutableDenseNDimArray(x)"),
            picture="type(x).__name__, str(x.tolist()), x.shape",
        ),
    ),
)
