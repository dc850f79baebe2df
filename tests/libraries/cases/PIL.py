"""PIL: an image is a buffer in C, its mode, palette and info beside it."""

from case import Case, Library

LIBRARY = Library(
    package="pillow",
    imports="""
import hashlib, io
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImagePalette

Image.new("RGB", (6, 4), "teal").save("opened.png", dpi=(72, 72))
""",
    cases=(
        Case(
            name="PIL.Image.Image (RGB)",
            make="x = Image.new('RGB', (6, 4), 'navy')",
            use="x.resize((3, 2)); x.save(io.BytesIO(), 'PNG'); x.getpixel((0, 0)); x.histogram(); x._repr_png_()",
            changes=("x.putpixel((1, 1), (255, 0, 0))", "x.paste('white', (2, 2, 4, 4))", "x.info['note'] = 'mine'"),
            picture="x.mode, x.size, x.tobytes(), x.info",
        ),
        Case(
            name="PIL.Image.Image (L)",
            make="x = Image.linear_gradient('L').resize((8, 8))",
            use="x.getextrema(); x.point(lambda v: 255 - v); x.filter(ImageFilter.BLUR)",
            changes=("x.putpixel((3, 3), 200)", "x.thumbnail((4, 4))", "x.putalpha(100)"),
            picture="x.mode, x.size, x.tobytes()",
        ),
        Case(
            name="PIL.Image.Image (P)",
            make="x = Image.new('P', (3, 2)); x.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])",
            use="x.convert('RGB'); x.getcolors(); x.getpalette()",
            changes=("x.putpixel((0, 0), 1)", "x.putpalette([0, 0, 255, 255, 255, 0])", "x.info['transparency'] = 1"),
            picture="x.mode, x.tobytes(), x.getpalette(), x.convert('RGBA').tobytes()",
        ),
        Case(
            name="PIL.Image.Image (1, drawn on)",
            make="x = Image.new('1', (9, 9)); ImageDraw.Draw(x).line((0, 0, 8, 8), fill=1)",
            use="x.getbbox(); x.rotate(90)",
            changes=(
                "ImageDraw.Draw(x).rectangle((2, 2, 5, 5), outline=1)",
                "ImageDraw.Draw(x).ellipse((0, 0, 8, 8), outline=1)",
                "ImageDraw.Draw(x).point((8, 0), 1)",
            ),
            picture="x.mode, x.size, x.tobytes()",
        ),
        Case(
            name="PIL.ImageDraw.ImageDraw",
            make="a = Image.new('RGB', (8, 8)); x = ImageDraw.Draw(a)",
            use="x.textlength('ab'); x.getfont()",
            changes=(
                "x.line((0, 0, 7, 7), fill='red')",
                "x.rectangle((1, 1, 4, 4), fill='blue')",
                "x.point((7, 0), 'white')",
            ),
            picture="a.tobytes(), x.mode",
            storable=False,
        ),
        Case(
            name="PIL.PngImagePlugin.PngImageFile (opened)",
            make="x = Image.open('opened.png')",
            use="x.size; x.getpixel((0, 0)); x.convert('L')",
            changes=("x.putpixel((1, 1), (255, 0, 0))", "x.info['note'] = 'mine'", "x.paste('white', (2, 2, 4, 4))"),
            picture="x.mode, x.size, x.tobytes(), sorted(x.info), x.format",
        ),
        Case(
            name="PIL.Image.Image (numpy's memory)",
            make="import numpy as np\na = np.zeros((3, 3), np.uint8); x = Image.fromarray(a)",
            use="np.asarray(x).sum(); repr(x.size)",
            changes=("a[1, 1] = 5", "x.putpixel((0, 0), 9)", "x.paste(3, (0, 0, 2, 2))"),
            picture="x.tobytes(), a.tolist(), x.mode",
        ),
        Case(
            name="PIL.ImagePalette.ImagePalette",
            make="x = ImagePalette.ImagePalette('RGB', [0, 0, 0, 9, 9, 9])",
            use="x.getdata(); x.tobytes()",
            changes=("x.getcolor((255, 0, 0))", "x.dirty = 7", "x = x.copy(); x.getcolor((0, 255, 0))"),
            picture="x.mode, x.tobytes(), sorted(x.colors.items()), x.dirty",
        ),
        Case(
            name="PIL.ImageFont.FreeTypeFont (from a file)",
            make="import matplotlib\nx = ImageFont.truetype(matplotlib.get_data_path() + '/fonts/ttf/DejaVuSans.ttf', 12)",
            use="x.getbbox('text'); x.getlength('text'); x.getmask('text')",
            changes=("x = x.font_variant(size=20)", "x = x.font_variant(size=8)", "x = x.font_variant(size=30)"),
            picture="x.size, x.getname(), x.getbbox('text')",
        ),
        Case(
            name="PIL.ImageFont.FreeTypeFont (the default font)",
            make="x = ImageFont.load_default(12)",
            use="x.getbbox('text'); x.getlength('text'); x.getmask('text')",
            changes=("x = x.font_variant(size=20)", "x = x.font_variant(size=8)", "x = x.font_variant(size=30)"),
            picture="x.size, x.getname(), x.getbbox('text')",
        ),
        Case(
            name="PIL.ImageFilter.Kernel",
            make="x = ImageFilter.Kernel((3, 3), [0, 1, 0, 1, 4, 1, 0, 1, 0])",
            use="Image.new('L', (5, 5), 7).filter(x)",
            changes=(
                "x.filterargs = (*x.filterargs[:2], 5, x.filterargs[3])",
                "x.name = 'mine'",
                "x = ImageFilter.GaussianBlur(2)",
            ),
            picture="sorted(vars(x).items()), x.name, Image.linear_gradient('L').filter(x).tobytes()[:40]",
        ),
    ),
)
