"""statsmodels: models hold data and formula, results cache what they compute."""

from case import Case, Library

LIBRARY = Library(
    package="statsmodels",
    imports="""
import warnings; warnings.filterwarnings('ignore')
import numpy as np
import pandas as pd
import statsmodels.api as sm
import statsmodels.formula.api as smf
from statsmodels.tsa.arima.model import ARIMA
from statsmodels.tsa.holtwinters import ExponentialSmoothing
rng = np.random.default_rng(0)
A = sm.add_constant(rng.normal(size=(30, 2)))
b = A @ [1.0, 2.0, 3.0] + rng.normal(size=30)
df = pd.DataFrame({'y': b, 'u': A[:, 1], 'g': list('pqr') * 10})
ts = pd.Series(np.sin(np.arange(40.0)) + np.arange(40) / 10, index=pd.date_range('2024-01-01', periods=40))
""".strip(),
    cases=(
        Case(
            name="statsmodels OLS",
            make="x = sm.OLS(b.copy(), A.copy())",
            use="x.fit().params; x.nobs; x.exog_names; x.df_resid; x.rank; x.loglike([1.0, 2.0, 3.0])",
            changes=("x.endog[0] = 40", "x.exog[1, 1] = -5; x.wexog[1, 1] = -5", "x.data.xnames = ['c', 'd', 'e']"),
            picture="x.endog.tolist(), x.exog.tolist(), x.exog_names, x.fit(method='qr').params.round(6).tolist()",
        ),
        Case(
            name="statsmodels OLSResults",
            make="x = sm.OLS(b, A).fit()",
            use="x.summary().as_text(); x.rsquared; x.pvalues; x.conf_int(); x.predict(A[:3]); x.resid; x.aic;"
            " x.get_prediction(A[:2]).summary_frame(); x.get_influence().cooks_distance; repr(type(x))",
            changes=("x.params[0] = 9", "x = x.get_robustcov_results('HC1')", "x = sm.OLS(b[::2], A[::2]).fit()"),
            picture="x.params.round(6).tolist(), x.cov_type, x.bse.round(6).tolist(), x.nobs, x.rsquared.round(6).tolist()",
        ),
        Case(
            name="statsmodels OLSResults (formula)",
            make="x = smf.ols('y ~ u + C(g)', df).fit()",
            use="x.pvalues; x.predict(df.head(3)); x.params.iloc[1]; x.bse; x.rsquared; x.f_pvalue; x.summary(); x.params.mean(); x.model.exog_names",
            changes=(
                "x = smf.ols('y ~ np.exp(u)', df).fit()",
                "x = smf.wls('y ~ u', df, weights=np.arange(1, 31)).fit()",
                "x.note = 'mine'",
            ),
            picture="x.params.round(6).to_dict(), x.predict(df.head(3)).round(6).tolist(), x.model.formula, x.nobs, getattr(x, 'note', None)",
        ),
        Case(
            name="statsmodels GLMResults",
            make="x = sm.GLM((b > b.mean()).astype(float), A, family=sm.families.Binomial()).fit()",
            use="x.summary().as_text(); x.deviance; x.predict(A[:3]); x.null_deviance; x.resid_pearson; x.aic",
            changes=(
                "x.params[0] = 2",
                "x = sm.GLM(np.round(abs(b)), A, family=sm.families.Poisson()).fit()",
                "x = sm.GLM(b, A).fit()",
            ),
            picture="x.params.round(5).tolist(), type(x.family).__name__, x.predict(A[:3]).round(5).tolist(),"
            " round(x.deviance, 4)",
        ),
        Case(
            name="statsmodels GLM",
            make="x = sm.GLM(b.copy(), A.copy(), family=sm.families.Gaussian())",
            use="x.fit().params; x.exog_names; x.loglike(np.ones(3), scale=1.0)",
            changes=(
                "x.endog[0] = 40",
                "x.exog[0, 1] = 3",
                "x = sm.GLM(abs(b), A, family=sm.families.Gamma(sm.families.links.Log()))",
            ),
            picture="x.endog.tolist(), x.exog.tolist(), type(x.family).__name__, x.fit().params.round(5).tolist()",
        ),
        Case(
            name="statsmodels LogitResults",
            make="x = sm.Logit((b > b.mean()).astype(int), A[:, :2]).fit(disp=0)",
            use="x.summary().as_text(); x.prsquared; x.pred_table(); x.get_margeff().summary()",
            changes=(
                "x.params[0] = 2",
                "x = sm.Probit((b > 0).astype(int), A[:, :2]).fit(disp=0)",
                "x = sm.Logit((b > 2).astype(int), A[:, :2]).fit(disp=0)",
            ),
            picture="x.params.round(5).tolist(), type(x.model).__name__, x.predict(A[:3, :2]).round(5).tolist()",
        ),
        Case(
            name="statsmodels ARIMAResults",
            make="x = ARIMA(ts, order=(1, 0, 0)).fit()",
            use="x.summary().as_text(); x.forecast(3); x.aic; x.resid; x.get_forecast(2).conf_int(); x.params",
            changes=(
                "x = x.append(pd.Series([1.0, 2.0], index=pd.date_range(ts.index[-1], periods=3)[1:]))",
                "x = ARIMA(ts[:30], order=(1, 1, 0)).fit()",
                "x.note = 'by hand'",
            ),
            picture="x.params.round(5).to_dict(), x.forecast(3).round(5).tolist(), str(x.forecast(1).index[0]), x.nobs,"
            " getattr(x, 'note', None)",
        ),
        Case(
            name="statsmodels ARIMA",
            make="x = ARIMA(ts.copy(), order=(1, 0, 0))",
            use="x.param_names; x.nobs; x.start_params; x.loglike(x.start_params)",
            changes=("x.endog[0] = 40; x.initialize()", "x = ARIMA(ts, order=(0, 1, 1))", "x = x.clone(ts[:20])"),
            picture="x.endog.ravel().tolist(), x.order, x.param_names, x.start_params.round(5).tolist()",
        ),
        Case(
            name="statsmodels ExponentialSmoothing results",
            make="x = ExponentialSmoothing(ts, trend='add').fit()",
            use="x.forecast(2); x.summary().as_text(); x.sse; x.params; x.fittedvalues",
            changes=(
                "x.params['smoothing_level'] = 0.1",
                "x = ExponentialSmoothing(ts[:30]).fit()",
                "x = ExponentialSmoothing(ts, trend='add', damped_trend=True).fit()",
            ),
            picture="x.forecast(2).round(3).tolist(), round(float(x.params['smoothing_level']), 3), round(x.sse, 3)",
        ),
        Case(
            name="statsmodels ECDF",
            make="x = sm.distributions.ECDF([1.0, 2.0, 3.0])",
            use="x(1.5); x.x; x.y",
            changes=("x.y[1] = 0.1", "x = sm.distributions.ECDF([1.0, 2.5])", "x.x[1] = 0.5"),
            picture="x([0.7, 1.5, 2.2]).round(6).tolist(), x.x.tolist(), x.y.round(6).tolist()",
        ),
    ),
)
