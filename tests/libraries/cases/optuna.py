"""optuna: a study refers to a storage; here it is memory."""

from case import Case, Library

LIBRARY = Library(
    package="optuna",
    imports="import optuna\noptuna.logging.set_verbosity(optuna.logging.ERROR)\n\ndef objective(trial):\n    return (trial.suggest_float('a', -1, 1) - 0.3) ** 2",
    cases=(
        Case(
            name="optuna.Study",
            make="x = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=1)); x.optimize(objective, n_trials=2)",
            use="x.best_params; x.trials; x.trials_dataframe(); x.best_value",
            changes=("x.optimize(objective, n_trials=2)", "x.set_user_attr('k', 1)", "x.enqueue_trial({'a': 0.3})"),
            picture="[(t.number, t.state.name, t.params, t.values) for t in x.trials], x.user_attrs, x.direction.name",
        ),
        Case(
            name="optuna.trial.FixedTrial",
            make="x = optuna.trial.FixedTrial({'a': 0.5})",
            use="x.params; repr(type(x)); x.number",
            changes=("x.set_user_attr('k', 1)", "x._params['b'] = 2", "x.suggest_int('b', 0, 3)"),
            picture="sorted(x._params.items()), x.user_attrs, sorted(x.distributions)",
        ),
        Case(
            name="optuna.samplers.RandomSampler",
            make="x = optuna.samplers.RandomSampler(seed=3)",
            use="repr(type(x))",
            changes=("x._rng.rng.uniform()", "x._rng.rng.seed(5)", "x._rng.rng.uniform(size=2)"),
            picture="str(x._rng.rng.get_state()[1:3])",
        ),
        Case(
            name="optuna.distributions.FloatDistribution",
            make="x = optuna.distributions.FloatDistribution(0, 1)",
            use="x.single(); repr(x)",
            changes=("x.high = 2", "x.low = 0.5", "x.log = True"),
            picture="repr(x)",
        ),
    ),
)
