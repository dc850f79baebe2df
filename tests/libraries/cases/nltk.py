"""nltk: stemmers, counts and trees are plain objects."""

from case import Case, Library

LIBRARY = Library(
    package="nltk",
    imports="import nltk\nfrom nltk import ConditionalFreqDist, FreqDist, Tree\nfrom nltk.stem import PorterStemmer, SnowballStemmer\n\nWORDS = 'the cat and the dog and a cat'.split()",
    cases=(
        Case(
            name="nltk.stem.PorterStemmer",
            make="x = PorterStemmer()",
            use="x.stem('running'); repr(x)",
            changes=("x.mode = x.ORIGINAL_ALGORITHM", "x.pool['running'] = 'rrr'", "x.vowels = frozenset('aei')"),
            picture="x.mode, x.stem('happily'), x.stem('skies'), sorted(x.vowels), x.pool.get('running')",
        ),
        Case(
            name="nltk.stem.SnowballStemmer",
            make="x = SnowballStemmer('english')",
            use="x.stem('running')",
            changes=(
                "x = SnowballStemmer('german')",
                "x = SnowballStemmer('english', ignore_stopwords=False); x.note = 1",
                "x = SnowballStemmer('french')",
            ),
            picture="x.stem('laufenden'), x.stem('running'), getattr(x, 'note', 0)",
        ),
        Case(
            name="nltk.FreqDist",
            make="x = FreqDist(WORDS)",
            use="x.most_common(2); x.freq('cat'); x.N(); x.hapaxes(); repr(x)",
            changes=("x['cat'] += 3", "x.update(['new'])", "del x['the']"),
            picture="sorted(x.items()), x.N(), x.B(), x.max()",
        ),
        Case(
            name="nltk.ConditionalFreqDist",
            make="x = ConditionalFreqDist((len(w), w) for w in WORDS)",
            use="x.conditions(); x[3].most_common(1)",
            changes=("x[3]['owl'] += 1", "x[9]['elephants'] = 2", "del x[1]"),
            picture="sorted((c, sorted(x[c].items())) for c in x.conditions()), x.N()",
        ),
        Case(
            name="nltk.Tree",
            make="x = Tree.fromstring('(S (NP I) (VP saw (NP it)))')",
            use="x.leaves(); x.pformat(); x.height(); list(x.subtrees())",
            changes=("x[0, 0] = 'We'", "x.append(Tree('PP', ['there']))", "x.set_label('T')"),
            picture="x.pformat(), x.height(), x.leaves()",
        ),
        Case(
            name="nltk.ParentedTree",
            make="x = nltk.ParentedTree.fromstring('(S (NP I) (VP saw))')",
            use="x[0].parent() is x; x[-1].left_sibling() is None",
            changes=("x[0][0] = 'We'", "x.pop()", "x.append(nltk.ParentedTree('X', ['y']))"),
            picture="x.pformat(), [c.parent() is x for c in x]",
        ),
        Case(
            name="nltk.CFG",
            make='x = nltk.CFG.fromstring(\'S -> A B\\nA -> "a"\\nB -> "b"\')',
            use="x.productions(); x.start(); repr(x); nltk.ChartParser(x)",
            changes=(
                "x._start = nltk.Nonterminal('A')",
                "x._productions.pop()",
                "x = nltk.CFG.fromstring('S -> \"c\"')",
            ),
            picture="str(x), str(x.start()), len(x.productions())",
        ),
        Case(
            name="nltk.NaiveBayesClassifier",
            make="x = nltk.NaiveBayesClassifier.train([({'a': 1}, 'p'), ({'a': 2}, 'q'), ({'a': 1}, 'p')])",
            use="x.classify({'a': 1}); x.labels(); x.most_informative_features()",
            changes=(
                "x._labels.append('r'); x._labels.pop(); x.note = 1",
                "x._label_probdist = nltk.UniformProbDist(['p', 'q'])",
                "x._labels.reverse()",
            ),
            picture="x.labels(), round(x.prob_classify({'a': 2}).prob('q'), 8), getattr(x, 'note', 0)",
        ),
        Case(
            name="nltk.RegexpTokenizer",
            make="x = nltk.RegexpTokenizer(r'\\w+')",
            use="x.tokenize('a b, c'); repr(x)",
            changes=(
                "x._gaps = True; x._regexp = None",
                "x = nltk.RegexpTokenizer('[a-z]')",
                "x._pattern = '[0-9]'; x._regexp = None",
            ),
            picture="x.tokenize('ab, 12'), x._pattern, x._gaps",
        ),
    ),
)
