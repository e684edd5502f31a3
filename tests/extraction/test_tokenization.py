"""Alignment over all tokenizer families, for words no tokenizer was made for."""

import re

import pytest
import sentencepiece
import transformers as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers

from neurox_lite.errors import InputError
from neurox_lite.extraction.tokenization import SentenceTokenizer

pytestmark = pytest.mark.heavy

FAST = ["wordpiece", "byte_bpe", "prefixed_bpe", "unigram", "metaspace_bpe", "characters"]
SLOW = ["bytes", "sentencepiece"]
# Made below: normalizers and pre-tokenizers of other families.
MADE = ["like_albert", "like_llama2", "like_gemma", "like_qwen", "like_roformer"]
# What each tokenizer puts before and after a sentence, as it was made.
FRAMES = {
    "wordpiece": (["[CLS]"], ["[SEP]"]),
    "byte_bpe": ([], []),
    "prefixed_bpe": (["<s>"], ["</s>"]),
    "unigram": ([], ["</s>"]),
    "metaspace_bpe": (["<s>"], []),
    "characters": (["[CLS]"], []),
    "bytes": ([], ["</s>"]),
    "sentencepiece": ([], ["</s>"]),
    "like_albert": ([], ["</s>"]),
    "like_llama2": (["<s>"], []),
    "like_gemma": (["<s>"], []),
    "like_qwen": ([], []),
    "like_roformer": (["[CLS]"], ["[SEP]"]),
}
MARKS = ("▁", "Ġ", " ")
SPELLED = ["[SEP]", "[CLS]", "[PAD]", "[MASK]", "</s>", "<s>", "<pad>", "<extra_id_0>"]
ODD_WORDS = [
    *SPELLED,
    "the",
    "internationalisation" * 20,
    "e\u0301",
    "\u0301",
    "q" + "\u0301\u0323" * 9,
    "👩‍👩‍👧",
    "👍🏽",
    "🇩🇪",
    "\u200b",
    "a\u200bb",
    "\u200e\u200f",
    "\ufeff",
    "\u00ad",
    "東京",
    "中a文",
    "مرحبا",
    "مُحَمَّد",
    "שָׁלוֹם",
    "हिन्दी",
    "ภาษาไทย",
    "한국어",
    "\u1100\u1161\u11a8",
    "ｶﾞ",
    "\u0995\u09c7\u09be",
    "\x07",
    "a\x07b",
    "\x85a",
    "a\u2028b",
    "a\tb",
    "a\nb",
    "\ufffd",
    "\ue000",
    "\U0003ffff",
    "\u3000a",
    "a\u3000b",
    "1 000",
    "1  000",
    " a",
    "a ",
    "\u00a01",
    "▁",
    "▁a",
    "a▁ ▁b",
    "Ġ",
    "Ġ a",
    "##s",
    "ﬁ",
    "½",
    "İ",
    "ΑΣ",
    "...",
    "``",
    "''",
    "'''",
    "don´t",
    "´",
    ">>fr<<",
    "<unk>",
    "<0x0A>",
]
characters = st.one_of(
    st.sampled_from("aābc.'-1 "), st.characters(exclude_categories=["Cs"], codec="utf-8")
)
words_of_any_kind = st.one_of(
    st.sampled_from(ODD_WORDS), st.text(characters, min_size=1, max_size=6)
).filter(lambda word: not word.isspace())
sentences = st.lists(words_of_any_kind, min_size=1, max_size=6)


def read(tokenizer, words):
    return SentenceTokenizer(tokenizer)([words], ["here"])[0]


def spelled(tokenizer, words):
    """The subwords of each word, as text."""
    sentence = read(tokenizer, words)
    subwords = tokenizer.convert_ids_to_tokens(list(sentence.input_ids))
    return [[subwords[position] for position in word] for word in sentence.subwords]


def check_frame(kind, tokenizer, sentence):
    """Positions ascend, no subword is in two words, special tokens are where they were put."""
    used = [position for word in sentence.subwords for position in word]
    assert used == sorted(set(used))
    subwords = tokenizer.convert_ids_to_tokens(list(sentence.input_ids))
    stop = len(subwords) - sentence.n_after
    assert (subwords[: sentence.n_before], subwords[stop:]) == FRAMES[kind]
    assert all(sentence.n_before <= position < stop for position in used)


def disappears(tokenizer, word, position):
    """Whether the tokenizer's own normalizer deletes a character or makes one of it and others."""
    normalizer = tokenizer.backend_tokenizer.normalizer

    def length(text):
        return len(re.sub(r"[\s▁]", "", normalizer.normalize_str(text)))

    return normalizer is not None and any(
        length(word[first : position + 1] + after) <= length(word[first:position] + after)
        for first in range(position + 1)
        for after in ("", word[position + 1 : position + 2])
    )


def spans(words):
    starts = [sum(len(w) + 1 for w in words[:i]) for i in range(len(words))]
    return [range(start, start + len(word)) for start, word in zip(starts, words, strict=True)]


def rebuilt(tokenizer, **parts):
    copy = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
    for name, part in parts.items():
        setattr(copy, name, part)
    return tf.PreTrainedTokenizerFast(tokenizer_object=copy)


@pytest.fixture(scope="module")
def tokenizers(tokenizers_by_kind):
    """The families of conftest, and variations that delete, join and cut other characters."""
    words = r"'s|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s+(?!\S)|\s+"
    quotes = [normalizers.Replace(quote, '"') for quote in ("``", "''")]
    stripped = [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase()]
    return {
        **tokenizers_by_kind,
        "like_albert": rebuilt(
            tokenizers_by_kind["unigram"], normalizer=normalizers.Sequence([*quotes, *stripped])
        ),
        "like_llama2": rebuilt(
            tokenizers_by_kind["metaspace_bpe"],
            normalizer=normalizers.Sequence(
                [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
            ),
            pre_tokenizer=pre_tokenizers.Split("\0", "isolated"),  # that is, none
        ),
        "like_gemma": rebuilt(
            tokenizers_by_kind["metaspace_bpe"],
            normalizer=normalizers.Replace(" ", "▁"),
            pre_tokenizer=pre_tokenizers.Split(" ", "merged_with_previous"),
        ),
        "like_qwen": rebuilt(
            tokenizers_by_kind["byte_bpe"],
            normalizer=normalizers.NFC(),
            pre_tokenizer=pre_tokenizers.Sequence(
                [
                    pre_tokenizers.Split(Regex(words), "isolated"),
                    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
                ]
            ),
        ),
        "like_roformer": rebuilt(
            tokenizers_by_kind["wordpiece"],
            normalizer=normalizers.Sequence([normalizers.NFD(), *stripped[1:]]),
            pre_tokenizer=pre_tokenizers.Whitespace(),
        ),
    }


@pytest.mark.parametrize("kind", FAST + MADE)
@given(words=sentences)
@settings(max_examples=250, deadline=None)
def test_a_fast_tokenizer_covers_every_word_exactly(kind, words, tokenizers):
    tokenizer = tokenizers[kind]
    text = " ".join(words)
    try:
        sentence = read(tokenizer, words)
    except InputError as error:
        assert str(error).startswith("here: ")
        return
    check_frame(kind, tokenizer, sentence)

    tokenizer.backend_tokenizer.encode_special_tokens = True
    encoding = tokenizer.backend_tokenizer.encode(text)
    assert encoding.ids == list(sentence.input_ids)
    reading = {}  # character -> subwords that read it, by the tokenizer's own account
    for position, special in enumerate(encoding.special_tokens_mask):
        if special:
            continue
        first, last = encoding.token_to_chars(position)
        if encoding.tokens[position] in MARKS and text[first:last] != encoding.tokens[position]:
            continue  # the space before a word, which some tokenizers say covers its first letter
        for character in range(first, last):
            reading.setdefault(character, set()).add(position)

    spaces = set(range(len(text))) - {c for span in spans(words) for c in span}
    for span, word, subwords in zip(spans(words), words, sentence.subwords, strict=True):
        assert set(subwords) == set().union(*(reading.get(c, set()) for c in span))
        covered = {c for c, positions in reading.items() if positions & set(subwords)}
        assert covered - spaces <= set(span)
        for i, c in enumerate(span):
            assert c in covered or word[i].isspace() or disappears(tokenizer, word, i)


@given(words=sentences)
@settings(max_examples=250, deadline=None)
@example(words=["1 000", "1 000", "1  000"])
@example(words=["a", " a", "a "])
def test_the_bytes_of_a_words_subwords_are_the_word(words, tokenizers_by_kind):
    tokenizer = tokenizers_by_kind["bytes"]

    sentence = read(tokenizer, words)

    check_frame("bytes", tokenizer, sentence)
    n_special = 3  # ByT5 numbers its bytes from 3
    decoded = [bytes(sentence.input_ids[p] - n_special for p in word) for word in sentence.subwords]
    assert decoded == [word.encode() for word in words]


@given(words=sentences)
@settings(max_examples=250, deadline=None)
def test_the_pieces_of_a_word_are_the_word_as_sentencepiece_normalises_it(
    words, tokenizers_by_kind
):
    tokenizer = tokenizers_by_kind["sentencepiece"]
    try:
        sentence = read(tokenizer, words)
    except InputError as error:
        assert str(error).startswith("here: ")
        return

    check_frame("sentencepiece", tokenizer, sentence)
    subwords = tokenizer.convert_ids_to_tokens(list(sentence.input_ids))
    for number, (word, positions) in enumerate(zip(words, sentence.subwords, strict=True)):
        if number == 0 and ">>" in word:
            continue  # Marian takes a language code off the text before it normalises it
        pieces = [subwords[position] for position in positions]
        pattern = "".join(".+" if p == "<unk>" else re.escape(p.replace("▁", "")) for p in pieces)
        normalised = tokenizer.spm_source.normalize(word).replace("▁", "")
        assert re.fullmatch(pattern, normalised, re.DOTALL)


@pytest.mark.parametrize("kind", FAST + SLOW)
@given(words=sentences, others=st.lists(sentences, max_size=3))
@settings(max_examples=50, deadline=None)
def test_sentences_read_together_are_read_as_alone(kind, words, others, tokenizers_by_kind):
    tokenizer = tokenizers_by_kind[kind]
    sentences = [*others, words]
    where = [f"sentence {i}" for i in range(len(sentences))]
    try:
        together = SentenceTokenizer(tokenizer)(sentences, where)
    except InputError as error:
        assert str(error).startswith("sentence ")
        return

    assert together == [read(tokenizer, sentence) for sentence in sentences]


# Words that each tokenizer reads by itself just as in a sentence, so that it tells the truth.

ORDINARY = [
    ["the", "naïve", "internationalisation", "of", "cats", "x1000", "."],
    ["Zürich", "straße", "東京", "مرحبا", "👩‍👩‍👧", "it's", "..."],
    ["Москва", "हिन्दी", "שָׁלוֹם", "ไทย", "한국어", "e\u0301te\u0301", "a"],
    ["old", "old", "old"],
    # Written with the parts of characters: Korean, Bengali, Tamil, half-width Japanese.
    ["\u1100\u1161\u11a8a", "\u0995\u09c7\u09be", "\u0b95\u0bc6\u0bbe", "ｶﾞｷﾞ"],
]


@pytest.mark.parametrize("words", ORDINARY)
@pytest.mark.parametrize("kind", FAST + SLOW)
def test_ordinary_words_have_the_subwords_they_have_alone(kind, words, tokenizers_by_kind):
    tokenizer = tokenizers_by_kind[kind]

    found = spelled(tokenizer, words)

    expected = []
    for number, word in enumerate(words):
        ids = tokenizer(" " * bool(number) + word, add_special_tokens=False)["input_ids"]
        expected.append([t for t in tokenizer.convert_ids_to_tokens(ids) if t not in MARKS])
    assert found == expected
    assert all(found)


def test_by_hand(tokenizers_by_kind):
    words = ["dogs", "bark", "👩‍👩", "1 000"]

    assert spelled(tokenizers_by_kind["characters"], words) == [
        list("dogs"),
        list("bark"),
        list("👩‍👩"),
        list("1 000"),
    ]
    assert spelled(tokenizers_by_kind["byte_bpe"], words)[2:] == [
        ["ðŁĳ©âĢį", "ðŁĳ", "©"],
        ["1", "00", "0"],
    ]
    sentence = read(tokenizers_by_kind["characters"], words)
    assert sentence.subwords == (
        (1, 2, 3, 4),
        (6, 7, 8, 9),
        (11, 12, 13),
        (15, 16, 17, 18, 19),
    )


@pytest.mark.parametrize("kind", FAST + SLOW)
def test_a_sentence_may_be_a_single_word(kind, tokenizers_by_kind):
    """As with pooling, where spaces lie inside the word."""
    tokenizer = tokenizers_by_kind[kind]
    words = ["old", "cats", "bark", "at", "x1000", "."]

    apart, together = read(tokenizer, words), read(tokenizer, [" ".join(words)])

    assert together.input_ids == apart.input_ids
    all_words = {position for word in apart.subwords for position in word}
    marks = set(together.subwords[0]) - all_words
    assert all_words <= set(together.subwords[0])
    assert {tokenizer.convert_ids_to_tokens(together.input_ids[p]) for p in marks} <= {" "}


# Words that a tokenizer drops.


@pytest.mark.parametrize(
    ("kind", "dropped"),
    [("wordpiece", "\u200b"), ("wordpiece", "\x07\u0301"), ("sentencepiece", "\u200b")],
)
def test_dropped_words_have_no_subwords_and_special_tokens_keep_their_side(
    kind, dropped, tokenizers_by_kind
):
    tokenizer = tokenizers_by_kind[kind]
    n_before, n_after = map(len, FRAMES[kind])

    nothing = read(tokenizer, [dropped, dropped])
    something = read(tokenizer, [dropped, "a", dropped])

    assert nothing.subwords == ((), ())
    assert something.subwords == ((), (n_before,), ())
    for sentence in (nothing, something):
        assert (sentence.n_before, sentence.n_after) == (n_before, n_after)


# Words that spell special tokens.


@pytest.mark.parametrize("kind", [kind for kind in FAST + SLOW if kind != "unigram"])
@pytest.mark.parametrize("word", SPELLED)
def test_a_word_that_spells_a_special_token_is_read_as_text(kind, word, tokenizers_by_kind):
    tokenizer = tokenizers_by_kind[kind]

    found = spelled(tokenizer, ["the", word, "cat"])

    assert all(found)
    assert not set(SPELLED) & {subword for subwords in found for subword in subwords}
    if kind == "bytes":
        assert spelled(tokenizer, ["the", word]) == [list("the"), list(word)]


@pytest.mark.parametrize("kind", FAST + SLOW)
def test_reading_as_text_does_not_change_the_tokenizer(kind, tokenizers_by_kind):
    tokenizer = tokenizers_by_kind[kind]
    before = tokenizer("the </s> [SEP] cat")["input_ids"]

    read(tokenizer, ["the", "</s>", "[SEP]", "cat"])

    assert tokenizer("the </s> [SEP] cat")["input_ids"] == before


def test_unigram_reads_special_tokens_as_the_pieces_they_are_but_aligns_them(tokenizers_by_kind):
    tokenizer = tokenizers_by_kind["unigram"]

    assert spelled(tokenizer, ["the", "</s>", "cat"])[1] == ["</s>"]
    assert read(tokenizer, ["the", "</s>", "cat"]).n_after == 1


def test_quotes_of_which_albert_and_xlnet_make_one_character(tokenizers):
    tokenizer = tokenizers["like_albert"]

    assert spelled(tokenizer, ["``", "a", "''"]) == [["<unk>"], ["a"], ["<unk>"]]


def test_vowel_signs_and_lone_accents_that_are_stripped(tokenizers):
    tokenizer = tokenizers["like_albert"]

    assert all(read(tokenizer, ["हिन्दी", "don´t"]).subwords)
    assert read(tokenizer, ["a", "´", "b"]).subwords[1] == ()


# Tokenizers that cannot be aligned.


class Shifted:
    """A tokenizer with offsets that are wrong by one.

    So are those of T5's and XLM-R's normalizer in a sentence that begins with a control character.
    """

    is_fast = True

    def __init__(self, tokenizer, by):
        self.tokenizer = tokenizer
        self.by = by

    def __getattr__(self, name):
        return getattr(self.tokenizer, name)

    def __call__(self, **options):
        encoding = self.tokenizer(**options)
        if "offset_mapping" in encoding:
            encoding["offset_mapping"] = [
                [(max(0, start + self.by), max(0, end + self.by)) for start, end in offsets]
                for offsets in encoding["offset_mapping"]
            ]
        return encoding


@pytest.mark.parametrize("by", [-1, 1])
@pytest.mark.parametrize(
    "words", [["a", "b", "."], ["old", "cats"], ["a"], ["x", "old", ","], [".", "a", "\u200b"]]
)
@pytest.mark.parametrize("kind", ["wordpiece", "unigram", "byte_bpe", "characters"])
def test_offsets_that_are_wrong_are_refused(kind, words, by, tokenizers_by_kind):
    tokenizer = Shifted(tokenizers_by_kind[kind], by)

    with pytest.raises(InputError, match=r"^here: "):
        read(tokenizer, words)


def spacing_wordlevel(vocabulary, **parts):
    tokenizer = Tokenizer(models.WordLevel({t: i for i, t in enumerate(vocabulary)}, "[UNK]"))
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    return tf.PreTrainedTokenizerFast(tokenizer_object=tokenizer)


def test_a_merging_tokenizer_is_refused():
    tokenizer = spacing_wordlevel(
        ["[UNK]", "old", "cats", "bark"], pre_tokenizer=pre_tokenizers.WhitespaceSplit()
    )
    tokenizer.add_tokens(["cats bark"])

    assert read(tokenizer, ["cats", "old", "bark"]).subwords == ((0,), (1,), (2,))
    with pytest.raises(InputError, match=r"^here: subword 'cats bark' spans 'cats' and 'bark'; "):
        read(tokenizer, ["old", "cats", "bark"])
    # Within a word, merging is what tokenizers are for.
    assert read(tokenizer, ["old", "cats bark"]).subwords == ((0,), (1,))


def test_only_the_sentence_that_merges_is_named():
    tokenizer = spacing_wordlevel(
        ["[UNK]", "cats", "bark"], pre_tokenizer=pre_tokenizers.WhitespaceSplit()
    )
    tokenizer.add_tokens(["cats bark"])

    with pytest.raises(InputError, match=r"^f\.txt: sentence 2: subword"):
        SentenceTokenizer(tokenizer)(
            [["bark"], ["cats", "bark"], ["cats"]], [f"f.txt: sentence {i}" for i in (1, 2, 3)]
        )


def test_a_tokenizer_without_a_pretokenizer_reads_the_sentence_as_one_subword_and_is_refused():
    tokenizer = spacing_wordlevel(["[UNK]", "cats bark"])

    with pytest.raises(InputError, match=r"^here: subword 'cats bark' spans 'cats' and 'bark'"):
        read(tokenizer, ["cats", "bark"])


def test_a_tokenizer_that_deletes_letters_from_words_is_refused():
    tokenizer = spacing_wordlevel(
        ["[UNK]", "ct"],
        normalizer=normalizers.Replace("a", ""),
        pre_tokenizer=pre_tokenizers.WhitespaceSplit(),
    )

    assert read(tokenizer, ["ct"]).subwords == ((0,),)
    with pytest.raises(InputError, match=r"^here: the subwords of 'cta' miss its character 'a'"):
        read(tokenizer, ["ct", "cta"])


class SlowTokenizer(tf.PreTrainedTokenizer):
    """A tokenizer without offsets; ``split`` makes subwords of a text."""

    def __init__(self, split, frame=lambda ids: [1, *ids, 2]):
        self.numbers = {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2}
        self.split = split
        self.frame = frame
        super().__init__(unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]")

    vocab_size = 1000

    def get_vocab(self):
        return dict(self.numbers)

    def _tokenize(self, text, **_):
        return self.split(text)

    def _convert_token_to_id(self, token):
        return self.numbers.setdefault(token, len(self.numbers))

    def _convert_id_to_token(self, index):
        return list(self.numbers)[index]

    def build_inputs_with_special_tokens(self, token_ids_0, token_ids_1=None):
        return self.frame(token_ids_0)


def test_a_slow_tokenizer_is_aligned_word_by_word():
    tokenizer = SlowTokenizer(lambda text: re.findall(r"\w\w?", text))

    sentence = read(tokenizer, ["cats", "...", "bark", "[SEP]", "..."])

    assert not tokenizer.is_fast
    assert sentence.subwords == ((1, 2), (), (3, 4), (5, 6), ())
    assert (sentence.n_before, sentence.n_after) == (1, 1)
    assert sentence.input_ids[0] == 1 and sentence.input_ids[-1] == 2
    assert spelled(tokenizer, ["cats", "[SEP]"]) == [["ca", "ts"], ["SE", "P"]]


def test_special_tokens_of_a_slow_tokenizer_keep_their_side_when_all_words_are_dropped():
    tokenizer = SlowTokenizer(lambda text: re.findall(r"\w\w?", text))

    sentence = read(tokenizer, ["..."])

    assert (sentence.n_before, sentence.n_after, sentence.subwords) == (1, 1, ((),))


@pytest.mark.parametrize("mark", ["▁", "Ġ", " "])
@pytest.mark.parametrize("word", ["1 000", "Ġ x", "▁ x", "▁", "a▁b"])
def test_a_slow_tokenizers_space_before_a_word_is_not_of_the_word(mark, word):
    tokenizer = SlowTokenizer(lambda text: [mark if c == " " else c for c in text])

    found = spelled(tokenizer, ["a", word])

    with_marks = [mark if c == " " else c for c in word]
    assert found[0] == ["a"]
    # A mark inside the word is the word's where it spells itself.
    assert found[1] == [t for t in with_marks if t not in MARKS or t in word]


DEPENDS_ON_CONTEXT = {
    # Pairs of characters, spaces included: the words' borders move.
    "pairs": lambda text: re.findall("(?s)..?", text),
    # The last word of a text has an end mark.
    "end": lambda text: [*text.split(), "</text>"],
    # A word after another is marked by its letter's case.
    "case": lambda text: [w if w[0].isupper() else w.title() for w in text.split("B ")],
    "merged": lambda text: text.replace("cats bark", "cats_bark").split(),
    "reversed": lambda text: text.split()[::-1],
}


@pytest.mark.parametrize("name", DEPENDS_ON_CONTEXT)
def test_a_slow_tokenizer_that_reads_words_by_their_context_is_refused(name):
    tokenizer = SlowTokenizer(DEPENDS_ON_CONTEXT[name])

    with pytest.raises(
        InputError, match=r"^f\.txt: sentence 7: its tokenizer gives no character offsets, and"
    ):
        SentenceTokenizer(tokenizer)([["cats", "bark", "at", "dogs"]], ["f.txt: sentence 7"])


def test_special_tokens_between_words_are_refused_without_offsets():
    tokenizer = SlowTokenizer(str.split, frame=lambda ids: [1, *ids[:1], 2, *ids[1:], 2])

    with pytest.raises(InputError, match=r"^here: .*puts special tokens between words"):
        read(tokenizer, ["cats", "bark"])


def test_sentencepiece_across_spaces_is_refused_where_it_merges(tmp_path):
    (tmp_path / "text").write_text("\n".join(["cats bark at dogs", "dogs see cats bark"] * 20))
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "text"),
        model_prefix=str(tmp_path / "m"),
        vocab_size=60,
        model_type="bpe",
        split_by_whitespace=False,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    model = sentencepiece.SentencePieceProcessor(str(tmp_path / "m.model"))
    assert any("▁" in piece[1:] for piece in model.encode("cats bark", out_type=str))
    tokenizer = SlowTokenizer(lambda text: model.encode(text, out_type=str))

    assert all(read(tokenizer, ["dogs"]).subwords)
    with pytest.raises(InputError, match=r"^here: .* it reads 'cats' differently alone and in the"):
        read(tokenizer, ["cats", "bark"])


# Tokens that were added to a vocabulary.


def with_added(tokenizer, content, **settings):
    copy = rebuilt(tokenizer)
    copy.add_tokens([tf.AddedToken(content, **settings)])
    return copy


@pytest.mark.parametrize(
    ("content", "settings", "words"),
    [
        ("dogs", {"rstrip": True}, ["the", "dogs", "bark"]),
        ("dogs", {"rstrip": True, "lstrip": True}, ["dogs", "bark"]),
        ("dog", {}, ["the", "dogs", "bark"]),
        ("dog", {"normalized": False}, ["dogsdogs"]),
        ("-", {"rstrip": True}, ["a", "-", "x"]),
    ],
)
def test_offsets_after_an_added_token_name_its_setting(
    tokenizers_by_kind, content, settings, words
):
    """As RoBERTa's: with add_prefix_space a space is put after it, and counted."""
    tokenizer = tokenizers_by_kind["prefixed_bpe"]
    with pytest.raises(InputError, match=r"or change its added token '.*add_prefix_space") as error:
        read(with_added(tokenizer, content, **settings), words)
    for name in ("single_word", "lstrip", "rstrip", "normalized"):
        told = getattr(tf.AddedToken(content, **settings), name)
        assert f"{name}={told}" in str(error.value)
    assert "\n" not in str(error.value)

    # What it says to do is enough.
    mended = with_added(tokenizer, content, **{**settings, "rstrip": False, "single_word": True})
    assert all(read(mended, words).subwords)


def test_an_added_token_of_two_words(tokenizers_by_kind):
    for kind in ("wordpiece", "byte_bpe", "unigram"):
        tokenizer = with_added(tokenizers_by_kind[kind], "old cats")
        assert all(read(tokenizer, ["old", "dogs"]).subwords)
        with pytest.raises(
            InputError, match="remove its added token 'old cats', which has a space"
        ):
            read(tokenizer, ["old", "cats"])


@pytest.mark.parametrize("kind", ["wordpiece", "byte_bpe", "unigram", "metaspace_bpe"])
@pytest.mark.parametrize("setting", ["single_word", "lstrip", "rstrip", "normalized"])
def test_added_tokens_that_do_no_harm(tokenizers_by_kind, kind, setting):
    tokenizer = with_added(tokenizers_by_kind[kind], "dogs", **{setting: True})
    words = ["the", "dogs", "bark", "dogs", "."]
    assert [len(word) for word in read(tokenizer, words).subwords][1::2] == [1, 1]
