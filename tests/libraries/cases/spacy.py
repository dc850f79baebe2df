"""spacy: a pipeline and the texts it read share a vocabulary."""

from case import Case, Library

LIBRARY = Library(
    package="spacy",
    imports="import spacy\nfrom spacy.tokens import Doc, Span",
    cases=(
        Case(
            name="spacy.language.Language",
            make="x = spacy.blank('en')",
            use="x('Hello world.'); x.pipe_names; x.meta; repr(x)",
            changes=(
                "x.add_pipe('sentencizer')",
                "x.tokenizer.add_special_case('gimme', [{'ORTH': 'gim'}, {'ORTH': 'me'}])",
                "x.disable_pipe('sentencizer')",
            ),
            picture="[t.text for t in x('gimme it. Now go.')], x.pipe_names, x.lang, x('gimme it. Now go.').has_annotation('SENT_START')",
        ),
        Case(
            name="spacy.tokens.Doc",
            make="nlp = spacy.blank('en'); x = nlp('London is big.')",
            use="[t.text for t in x]; x.text; x[0].is_alpha; x.to_json(); repr(x)",
            changes=("x.ents = [Span(x, 0, 1, label='GPE')]", "x.user_data['k'] = 1", "x[1].tag_ = 'VBZ'"),
            picture="[(t.text, t.tag_, t.ent_type_) for t in x], [(e.text, e.label_) for e in x.ents], x.user_data, x.vocab is nlp.vocab",
        ),
        Case(
            name="spacy.vocab.Vocab",
            make="x = spacy.blank('en').vocab",
            use="len(x.strings); x['word'].lower_",
            changes=(
                "x.strings.add('cellarword')",
                "x['cellarlexeme'].is_stop = True",
                "x.set_vector('cellarvector', __import__('numpy').ones(3))",
            ),
            picture="'cellarword' in x.strings, x['cellarlexeme'].is_stop if 'cellarlexeme' in x.strings else None, x.vectors.shape, x.has_vector('cellarvector')",
        ),
        Case(
            name="spacy.matcher.Matcher",
            make="nlp = spacy.blank('en'); x = spacy.matcher.Matcher(nlp.vocab); x.add('A', [[{'LOWER': 'hello'}]])",
            use="x(nlp('hello there')); len(x)",
            changes=("x.add('B', [[{'LOWER': 'there'}]])", "x.remove('A')", "x.add('C', [[{'IS_PUNCT': True}]])"),
            picture="len(x), [(s, e) for _, s, e in x(nlp('Hello there!'))]",
        ),
        Case(
            name="spacy.tokens.DocBin",
            make="nlp = spacy.blank('en'); x = spacy.tokens.DocBin(docs=[nlp('one two')])",
            use="len(x); list(x.get_docs(nlp.vocab))",
            changes=("x.add(nlp('three'))", "x.add(nlp('four five'))", "x.tokens.pop()"),
            picture="len(x), len(x.tokens), [t.tolist() for t in x.tokens]",
        ),
    ),
)
