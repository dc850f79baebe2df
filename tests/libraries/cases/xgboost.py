"""xgboost: boosters and the scikit-learn classes around them; matrices of data are memory of the library."""

from case import Case, Library

LIBRARY = Library(
    package="xgboost-cpu",
    imports="""
import warnings; warnings.filterwarnings('ignore')
import numpy as np
import xgboost as xgb
rng = np.random.default_rng(0)
X = rng.normal(size=(50, 3)); y = (X[:, 0] + X[:, 1] > 0).astype(int)
P = {'max_depth': 2, 'objective': 'binary:logistic', 'nthread': 1, 'seed': 0}
def matrix():
    return xgb.DMatrix(X, label=y)
""".strip(),
    cases=(
        Case(
            name="xgboost.Booster",
            make="x = xgb.train(P, matrix(), 3)",
            use="x.predict(matrix()); x.get_score(); x.get_dump(); x.num_boosted_rounds(); x.save_config(); x.attributes();"
            " repr(type(x))",
            changes=("x.update(matrix(), 3)", "x.set_attr(note='mine')", "x.set_param('eta', 0.05)"),
            picture="x.predict(matrix()).round(5).tolist(), x.attributes(), x.get_dump(), __import__('json').loads("
            "x.save_config())['learner']['gradient_booster']['tree_train_param'].get('eta')",
        ),
        Case(
            name="xgboost.XGBClassifier",
            make="x = xgb.XGBClassifier(n_estimators=3, max_depth=2, n_jobs=1).fit(X, y)",
            use="x.predict(X); x.predict_proba(X); x.score(X, y); x.feature_importances_; repr(x); x.get_params();"
            " x.get_booster().get_score(); x.n_features_in_",
            changes=("x.set_params(max_depth=3)", "_ = x.fit(X[::2], y[::2])", "x.note = 'mine'"),
            picture="x.max_depth, x.predict_proba(X[:9]).round(5).tolist(), getattr(x, 'note', None), x.n_classes_",
        ),
        Case(
            name="xgboost.XGBRegressor",
            make="x = xgb.XGBRegressor(n_estimators=3, n_jobs=1).fit(X, X[:, 2], eval_set=[(X, X[:, 2])], verbose=False)",
            use="x.predict(X); x.score(X, X[:, 2]); x.evals_result(); repr(x); x.apply(X)",
            changes=(
                "x.set_params(learning_rate=0.1)",
                "_ = x.fit(X[::2], X[::2, 2])",
                "x.get_booster().set_attr(a='b')",
            ),
            picture="x.learning_rate, x.predict(X[:9]).round(5).tolist(), x.get_booster().attributes(),"
            " getattr(x, 'evals_result_', None)",
        ),
        Case(
            name="xgboost.DMatrix",
            make="x = matrix()",
            use="x.num_row(); x.get_label()",
            changes=(),
            picture="x.num_row(), x.num_col()",
            storable=False,
        ),
    ),
)
