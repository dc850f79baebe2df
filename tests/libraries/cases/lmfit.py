"""lmfit: parameters share an interpreter of expressions."""

from case import Case, Library

LIBRARY = Library(
    package="lmfit",
    imports="import numpy as np\nfrom lmfit import Model, Parameters, minimize\nfrom lmfit.models import GaussianModel, LinearModel\n\nt = np.arange(6.0)",
    cases=(
        Case(
            name="lmfit.Parameters",
            make="x = Parameters(); x.add('a', 1.0, min=0); x.add('b', expr='2 * a')",
            use="x.valuesdict(); x.pretty_print(); x['b'].value; repr(x)",
            changes=("x['a'].value = 5.0", "x['a'].vary = False", "x.add('c', value=3.0, max=9)"),
            picture="[(p.name, p.value, p.vary, p.min, p.max, p.expr) for p in x.values()]",
        ),
        Case(
            name="lmfit.Model (a function of the notebook)",
            make="def line(t, m, c):\n    return m * t + c\nx = Model(line)",
            use="x.eval(t=t, m=1, c=2); x.make_params(m=1, c=0); repr(x)",
            changes=("x.set_param_hint('m', min=0)", "x.nan_policy = 'omit'", "x.param_hints['c'] = {'value': 7}"),
            picture="x.eval(t=t, m=1, c=2).tolist(), x.param_hints, x.nan_policy, x.param_names",
        ),
        Case(
            name="lmfit.models.CompositeModel",
            make="x = GaussianModel() + LinearModel()",
            use="x.eval(x=t, amplitude=1, center=2, sigma=1, slope=1, intercept=0); x.make_params()",
            changes=(
                "x.set_param_hint('sigma', min=0.1)",
                "x.left.set_param_hint('center', value=3)",
                "x.nan_policy = 'omit'",
            ),
            picture="x.eval(x=t, amplitude=1, center=2, sigma=1, slope=1, intercept=0).round(8).tolist(), x.param_hints, x.left.param_hints.get('center'), x.nan_policy",
        ),
        Case(
            name="lmfit.model.ModelResult",
            make="a = LinearModel(); x = a.fit(2 * t + np.sin(t), x=t, slope=1, intercept=0)",
            use="x.fit_report(); x.best_fit.sum(); x.eval(x=2.0); x.eval_uncertainty(sigma=1)",
            changes=("x.params['slope'].value = 7", "x.fit(3 * t)", "x.user = 'note'"),
            picture="[(p.name, round(p.value, 5)) for p in x.params.values()], x.best_fit.round(5).tolist(), round(x.chisqr, 5), getattr(x, 'user', '')",
        ),
        Case(
            name="lmfit.minimizer.MinimizerResult",
            make="a = Parameters(); a.add('k', 1.0); x = minimize(lambda p: p['k'] * t - 3 * t + np.sin(t), a)",
            use="x.params.pretty_print(); x.residual.sum(); x.success",
            changes=("x.params['k'].stderr = 0", "x.residual[0] = 9", "x.note = 'n'"),
            picture="[(p.name, round(p.value, 5), round(p.stderr, 5)) for p in x.params.values()], x.residual.round(5).tolist(), getattr(x, 'note', '')",
        ),
    ),
)
