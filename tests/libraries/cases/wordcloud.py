"""wordcloud: a layout of words; colours are drawn at random."""

from case import Case, Library

LIBRARY = Library(
    package="wordcloud",
    imports="import hashlib, random\nfrom wordcloud import WordCloud",
    cases=(
        Case(
            name="wordcloud.WordCloud",
            make="x = WordCloud(width=80, height=60, random_state=1).generate('a cat and a dog saw another big cat run')",
            use="x.to_array(); x.words_; x.to_image()",
            changes=(
                "x.generate('some other words for the cloud')",
                "x.background_color = 'white'",
                "x.recolor(color_func=lambda *args, **kwargs: 'red')",
            ),
            picture="hashlib.md5(x.to_array().tobytes()).hexdigest(), sorted(x.words_.items()), x.background_color",
        ),
    ),
)
