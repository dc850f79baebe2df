"""astropy: quantities are arrays with a unit; tables, coordinates and times hold some of their parts lazily."""

from case import Case, Library

LIBRARY = Library(
    package="astropy",
    imports="import io\nimport numpy as np\nfrom astropy import units as u\nfrom astropy.convolution import Gaussian2DKernel, convolve\nfrom astropy.coordinates import SkyCoord\nfrom astropy.io import fits\nfrom astropy.modeling.models import Gaussian1D, Linear1D\nfrom astropy.nddata import NDData\nfrom astropy.stats import SigmaClip\nfrom astropy.table import QTable, Table\nfrom astropy.time import Time\nfrom astropy.visualization import AsinhStretch, ImageNormalize, SqrtStretch\nfrom astropy.wcs import WCS",
    cases=(
        Case(
            name="astropy.units.Quantity",
            make="x = np.array([1.0, 2.0]) * u.km",
            use="x.to(u.m); x.value.sum(); x ** 2; repr(x)",
            changes=("x[0] = 5 * u.m", "x += 1 * u.km", "x <<= u.m"),
            picture="x.value.tolist(), str(x.unit), x.to_value(u.cm).tolist()",
        ),
        Case(
            name="astropy.table.Table",
            make="x = Table({'a': [1, 2, 3], 'b': ['u', 'v', 'w']}, meta={'k': 1})",
            use="repr(x); x['a'].mean(); x[:2]; x.to_pandas(); x.pprint()",
            changes=("x['a'][0] = 9", "x['c'] = [0.1, 0.2, 0.3]", "x.meta['k'] = 2; x.remove_row(1)"),
            picture="x.colnames, [list(map(str, row)) for row in x], x.meta, x['a'].parent_table is x",
        ),
        Case(
            name="astropy.table.Table (masked, grouped)",
            make="x = Table({'a': [1, 1, 2], 'b': [1.0, 2.0, 3.0]}, masked=True).group_by('a')",
            use="x.groups.aggregate(np.sum); x.groups.keys",
            changes=("x['b'].mask[1] = True", "x['a'].unit = u.s", "x.sort('b', reverse=True)"),
            picture="x.colnames, [list(map(str, row)) for row in x], str(x['a'].unit), x['b'].mask.tolist(), x.groups.indices.tolist()",
        ),
        Case(
            name="astropy.table.Table (with an index)",
            make="x = Table({'a': [1, 5, 2], 'b': [1.0, 2.0, 3.0]}); x.add_index('a')",
            use="x.loc[2]; x[1:]",
            changes=("x['b'][1] = 7", "x['a'][0] = 9", "x.add_row([0, 0.0])"),
            picture="[list(map(str, row)) for row in x], len(x.indices), x.loc[2]['b'], x.loc_indices[5]",
        ),
        Case(
            name="astropy.table.QTable",
            make="x = QTable({'a': [1.0, 2.0] * u.m, 'n': ['p', 'q']})",
            use="x['a'].to(u.km); repr(x)",
            changes=("x['a'][1] = 7 * u.m", "x['t'] = [1, 2] * u.s", "x.add_row([3 * u.m, 'r', 4 * u.s])"),
            picture="x.colnames, [list(map(str, row)) for row in x], type(x['a']).__name__",
        ),
        Case(
            name="astropy.coordinates.SkyCoord",
            make="x = SkyCoord([10.0, 20.0] * u.deg, [1.0, -5.0] * u.deg)",
            use="x.galactic; x.to_string('hmsdms'); x.separation(x); repr(x)",
            changes=("x[0] = x[1]", "x = x.transform_to('galactic')", "x = x[:1]"),
            picture="x.frame.name, x.icrs.ra.deg.round(8).tolist(), x.icrs.dec.deg.round(8).tolist(), x.shape",
        ),
        Case(
            name="astropy.time.Time",
            make="x = Time(['2024-01-01T00:00:00', '2024-06-01T12:00:00'], scale='utc')",
            use="x.jd; x.iso; x.tai; x.mjd.mean(); repr(x)",
            changes=("x[0] = '2020-02-29'", "x.format = 'jd'", "x.precision = 6; x = x + 1 * u.day"),
            picture="x.utc.isot.tolist(), x.format, x.scale, x.precision",
        ),
        Case(
            name="astropy.wcs.WCS",
            make="x = WCS(naxis=2); x.wcs.crpix = [5, 5]; x.wcs.cdelt = [0.1, 0.1]; x.wcs.ctype = ['RA---TAN', 'DEC--TAN']",
            use="x.pixel_to_world(3, 4); x.to_header(); repr(x)",
            changes=("x.wcs.crval = [10, 20]", "x.wcs.crpix[0] = 1", "x.pixel_shape = (7, 8)"),
            picture="np.round(x.wcs_pix2world([[1, 2]], 1), 8).tolist(), x.to_header_string(), x.pixel_shape",
        ),
        Case(
            name="astropy.io.fits.PrimaryHDU",
            make="x = fits.PrimaryHDU(np.arange(6.0).reshape(2, 3))",
            use="x.data.mean(); x.header['NAXIS']; x.shape; repr(x.header)",
            changes=("x.data[0, 0] = 9", "x.header['OBSERVER'] = 'me'", "x.data = np.eye(2)"),
            picture="x.data.tolist(), x.header.tostring('|')",
        ),
        Case(
            name="astropy.io.fits.Header (read from a file)",
            make=(
                "fits.PrimaryHDU(np.eye(2), fits.Header([('OBS', 'me', 'who'), ('N', 3)])).writeto('read.fits', overwrite=True)\n"
                "x = fits.getheader('read.fits')"
            ),
            use="'OBS' in x; len(x); repr(x)",
            changes=("x['N'] = 4", "x.comments['OBS'] = 'whom'", "x['ADDED'] = (1.5, 'new'); del x['N']"),
            picture="x.tostring('|'), x['OBS'], x.comments['OBS'], x.get('N'), x['NAXIS1']",
        ),
        Case(
            name="astropy.io.fits.HDUList",
            make="x = fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(np.arange(4.0), name='sci')])",
            use="x.writeto(io.BytesIO()); x['sci'].data.sum(); len(x)",
            changes=(
                "x['sci'].data[0] = 5",
                "x.append(fits.BinTableHDU(Table({'a': [1, 2]}), name='tab'))",
                "x[0].header['TITLE'] = 't'",
            ),
            picture="[(h.name, str(h.data), h.header.tostring('|')) for h in x]",
        ),
        Case(
            name="astropy.convolution.Gaussian2DKernel",
            make="x = Gaussian2DKernel(1, x_size=5, y_size=5)",
            use="convolve(np.eye(7), x); x.array.sum(); x.truncation",
            changes=("x *= 2", "x.normalize('peak')", "x.model.amplitude = 3"),
            picture="x.array.round(8).tolist(), float(x.model.amplitude.value), x.shape",
        ),
        Case(
            name="astropy.modeling.models.Linear1D",
            make="x = Linear1D(slope=2, intercept=1)",
            use="x(np.arange(3)); repr(x); x.inverse",
            changes=("x.slope = 5", "x.intercept.fixed = True", "x.slope.min = 1; x.name = 'mine'"),
            picture="x(np.arange(3)).tolist(), x.fixed, x.bounds, x.name, x.parameters.tolist()",
        ),
        Case(
            name="astropy.modeling.core.CompoundModel",
            make="x = Gaussian1D(1, 0, 1) + Linear1D(1, 0)",
            use="x(0.5); x.param_names; x[0]; repr(x)",
            changes=("x.amplitude_0 = 3", "x[1].slope = 7", "x.stddev_0.fixed = True"),
            picture="x(np.arange(3.0)).round(8).tolist(), x.fixed, x.parameters.tolist()",
        ),
        Case(
            name="astropy.stats.SigmaClip",
            make="x = SigmaClip(sigma=2.0, maxiters=5)",
            use="x(np.array([1.0, 1, 1, 1, 1, 50])); repr(x)",
            changes=("x.sigma_upper = 1.0", "x.maxiters = 1", "x.cenfunc = 'mean'"),
            picture="repr(x), x(np.array([1.0, 1.5, 2, 1, 1, 50, 3])).filled(-1).tolist()",
        ),
        Case(
            name="astropy.nddata.NDData",
            make="x = NDData(np.arange(3.0), unit=u.Jy, meta={'a': 1})",
            use="x.data.sum(); repr(x); x.unit",
            changes=("x.data[0] = 4", "x.mask = np.array([True, False, False])", "x.meta['a'] = 2"),
            picture="x.data.tolist(), str(x.unit), None if x.mask is None else x.mask.tolist(), x.meta",
        ),
        Case(
            name="astropy.visualization.ImageNormalize",
            make="x = ImageNormalize(vmin=0, vmax=10, stretch=SqrtStretch())",
            use="x(np.array([1.0, 4.0])); x.inverse(0.5)",
            changes=("x.vmax = 20", "x.stretch = AsinhStretch()", "x.clip = True"),
            picture="x(np.array([1.0, 4.0, 40.0])).tolist(), x.vmin, x.vmax, type(x.stretch).__name__",
        ),
    ),
)
