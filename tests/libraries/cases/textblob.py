"""textblob: a text with properties that are computed once."""

from case import Case, Library

LIBRARY = Library(
    package="textblob",
    imports="from textblob import TextBlob, Word\nfrom textblob.tokenizers import BaseTokenizer\n\nclass Spaces(BaseTokenizer):\n    def tokenize(self, text):\n        return text.split()",
    cases=(
        Case(
            name="textblob.TextBlob",
            make="x = TextBlob('good day bad night', tokenizer=Spaces())",
            use="x.tokens; x.upper(); x.sentiment; repr(x)",
            changes=(
                "x = TextBlob(str(x) + ' great', tokenizer=Spaces())",
                "x.raw = 'other text'; x.stripped = 'o'",
                "x = TextBlob('very bad', tokenizer=Spaces())",
            ),
            picture="str(x), list(x.tokens), x.raw, x.stripped, str(x.sentiment)",
        ),
        Case(
            name="textblob.Word",
            make="x = Word('cats')",
            use="x.upper(); x.singularize()",
            changes=("x = x.singularize()", "x = Word('mice')", "x = Word('x', pos_tag='NN')"),
            picture="str(x), getattr(x, 'pos_tag', None)",
        ),
    ),
)
