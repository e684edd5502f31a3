"""Minimal pairs: grammatical by rules written here, and files that survive a round trip."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurox_lite.corpora.grammar import Grammar
from neurox_lite.corpora.minimal_pairs import MinimalPair, by_condition
from neurox_lite.corpora.pair_files import read_number_agreement, read_pairs, write_pairs
from neurox_lite.corpora.pair_templates import gender_pairs, number_pairs
from neurox_lite.errors import InputError

HEADER = "prefix\tright\twrong\tsuffix\ttemplate\tcondition\n"


@pytest.fixture(scope="module")
def grammar():
    return Grammar()


@pytest.fixture(scope="module")
def pairs(grammar):
    return number_pairs(grammar, 20, seed=4)


@pytest.fixture(scope="module")
def noun_numbers(grammar):
    """Number of every noun form, and of nothing else, learned from generated labels."""
    corpus = grammar.corpus(4000, seed=8)
    triples = zip(corpus.words(), corpus.labels("upos"), corpus.labels("Number"), strict=True)
    return {word: number for word, upos, number in triples if upos == "NOUN"}


def test_many_pairs_print_as_a_few_lines(pairs, tmp_path):
    write_pairs(tmp_path / "p.tsv", pairs)
    read = read_pairs(tmp_path / "p.tsv")
    title, count, kind, *others = str(read).splitlines()
    assert [title, count] == ["MinimalPairs", f"  pairs {len(pairs)}"]
    assert (
        kind == "  simple singular: 20"
        and len(others) < 10
        and repr(read) == f"MinimalPairs({len(pairs)} pairs)"
    )


def noun_sequence(pair, noun_numbers):
    """Numbers of the nouns of a prefix; a form that may be a verb is one after a determiner."""
    ambiguous = {"watch", "watches", "judge", "judges", "cook", "cooks", "guard", "guards"}
    verb_after = {"who", "that", "which", "has", "have", "had"}
    numbers = []
    for before, word in zip(("", *pair.prefix), pair.prefix, strict=False):
        if word in ambiguous and before in (verb_after | set(noun_numbers)):
            continue
        if word in ambiguous and before.endswith("ly"):
            continue
        if word in noun_numbers:
            numbers.append({"Sing": "singular", "Plur": "plural"}[noun_numbers[word]])
    return numbers


def test_templates_and_conditions_are_balanced(pairs):
    counts = Counter((pair.template, pair.condition) for pair in pairs)
    assert set(counts.values()) == {20}
    assert Counter(template for template, _ in counts) == {
        "simple": 2,
        "adv": 2,
        "nounpp": 4,
        "nounpp_adv": 4,
        "two_pp": 8,
        "subject_relative": 4,
        "object_relative": 4,
        "conjunction": 4,
    }
    assert counts["nounpp", "singular_plural"] == 20


def test_right_agrees_and_wrong_differs_in_number_only(pairs):
    for pair in pairs:
        plural = pair.condition.startswith("plural") or pair.template == "conjunction"
        base, third = (pair.right, pair.wrong) if plural else (pair.wrong, pair.right)
        regular = {f"{base}s", f"{base}es", f"{base[:-1]}ies"}
        assert third in regular, pair


def test_the_condition_names_the_nouns_of_the_prefix(pairs, noun_numbers):
    unclear = {"sometimes", "often", "always", "usually", "rarely", "never", "still"}
    for pair in pairs:
        if pair.template in ("simple", "adv", "nounpp", "two_pp", "conjunction"):
            assert "_".join(noun_sequence(pair, noun_numbers)) == pair.condition, pair
        else:
            first = noun_sequence(pair, noun_numbers)[0]
            assert first == pair.condition.split("_")[0] or unclear & set(pair.prefix)


def test_the_subjects_determiner_does_not_give_the_number_away(pairs):
    assert {pair.prefix[0] for pair in pairs} == {"The", "Some", "No"}


def test_prefixes_are_distinct_per_condition_and_whole_with_the_suffix(pairs):
    keys = [(pair.template, pair.condition, pair.prefix) for pair in pairs]
    assert len(set(keys)) == len(keys)
    assert all(pair.suffix[-1] == "." for pair in pairs)


def test_pairs_depend_on_the_seed_alone(grammar, pairs):
    assert number_pairs(grammar, 20, seed=4) == pairs
    assert number_pairs(grammar, 20, seed=5) != pairs


def test_gender_pairs_follow_gender_and_stereotype(grammar):
    pairs = gender_pairs(grammar, 15, seed=0)
    assert set(Counter((pair.template, pair.condition) for pair in pairs).values()) == {15}
    for pair in pairs:
        feminine = pair.condition.endswith("feminine")
        assert (pair.right, pair.wrong) == (("she", "he") if feminine else ("he", "she"))
        assert pair.prefix[-1] == {"reporting": "that", "because": "because"}[pair.template]
    nouns = {condition: set() for condition in {pair.condition for pair in pairs}}
    for pair in pairs:
        nouns[pair.condition].add(pair.prefix[1])
    assert nouns["definitional_feminine"] & {"woman", "girl", "mother", "queen", "aunt", "sister"}
    assert nouns["stereotype_feminine"] & {"nurse", "secretary", "librarian", "nanny", "dancer"}
    assert nouns["stereotype_masculine"] & {"carpenter", "engineer", "mechanic", "pilot", "lawyer"}
    assert "doctor" not in set.union(*nouns.values())


def test_no_pairs_and_too_many_pairs_are_input_errors(grammar):
    with pytest.raises(InputError, match="at least 1"):
        gender_pairs(grammar, 0, seed=0)
    with pytest.raises(InputError, match="different prefixes of 100000"):
        number_pairs(grammar, 100_000, seed=0)


words = st.text("abcxyz'", min_size=1, max_size=5)
phrases = st.lists(words, max_size=4).map(tuple)


@given(
    st.lists(
        st.tuples(phrases.filter(len), words, words, phrases, words, words).filter(
            lambda fields: fields[1] != fields[2]
        ),
        min_size=1,
        max_size=5,
    )
)
def test_files_give_back_the_pairs_they_were_given(tmp_path_factory, fields):
    path = tmp_path_factory.mktemp("pairs") / "pairs.tsv"
    pairs = [MinimalPair(*row) for row in fields]
    write_pairs(path, pairs)
    assert read_pairs(path) == pairs


def test_sentences_as_they_were_written_are_kept(tmp_path):
    blimp, table = tmp_path / "blimp.jsonl", tmp_path / "pairs.tsv"
    lines = (
        '{"sentence_good": "The cat runs, OK?", "sentence_bad": "The cat run, OK?"}',
        '{"sentence_good": "Who  sleeps here?", "sentence_bad": "What  sleeps here?"}',
    )
    blimp.write_text("\n".join(lines))
    pairs = [*read_pairs(blimp), MinimalPair(("the", "dog"), "sees", "see")]

    write_pairs(table, pairs)

    assert read_pairs(table) == pairs
    assert read_pairs(table)[1].both_sentences()[0] == "Who  sleeps here?"


@pytest.mark.parametrize("broken", ["a\tb", "a\nb"])
def test_what_would_break_the_table_is_refused(tmp_path, broken):
    pair = MinimalPair(("the",), "cat", "cats", sentences=("the cat", broken))
    with pytest.raises(InputError, match="has a tab or a line break; replace it"):
        write_pairs(tmp_path / "pairs.tsv", [pair])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("The boy\trun\truns\t\t\t\n", "line 1: the header is not"),
        (HEADER, "no pairs after the header"),
        (HEADER + "The boy\truns\trun\n", "line 2: 3 columns instead of 6"),
        (HEADER + "The boy\truns\trun\t\ts\tc\n\truns\trun\t\t\t\n", "line 3: .* is empty"),
        (HEADER + "The boy\truns\truns\t\t\t\n", "line 2: right and wrong are both 'runs'"),
    ],
)
def test_a_bad_file_of_pairs_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "bad.tsv"
    path.write_text(text)
    with pytest.raises(InputError, match=f"bad.tsv.*{message}") as error:
        read_pairs(path)
    assert "\n" not in str(error.value)


def test_number_agreement_files_are_read(tmp_path):
    path = tmp_path / "nounpp.txt"
    path.write_text(
        "The boy near the cars greets\tsingular_plural\tcorrect\tid1\n"
        "The boy near the cars greet\tsingular_plural\twrong\tid1\n"
        "The boys near the car greets\tplural_singular\twrong\tid2\n"
        "The boys near the car greet\tplural_singular\tcorrect\tid2\n"
    )
    first, second = read_number_agreement(path)
    assert first == MinimalPair(
        prefix=("The", "boy", "near", "the", "cars"),
        right="greets",
        wrong="greet",
        template="nounpp",
        condition="singular_plural",
    )
    assert (second.right, second.wrong, second.condition) == ("greet", "greets", "plural_singular")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A b\ts\tcorrect\tid1\n", "1 lines"),
        ("A b\ts\tcorrect\tid1\nA c\ts\twrong\tid2\n", "line 1: .* are not a pair"),
        ("A b\ts\tcorrect\tid1\nA c\ts\tcorrect\tid1\n", "line 1: .* are not a pair"),
        ("A b\ts\tcorrect\nA c\ts\twrong\n", "line 1: .* are not a pair"),
        ("A b\ts\tcorrect\tid1\nB c\ts\twrong\tid1\n", "line 1: .* differ before the last word"),
        ("A b\ts\tcorrect\tid1\nA b\ts\twrong\tid1\n", "line 1: right and wrong are both 'b'"),
    ],
)
def test_a_bad_number_agreement_file_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "simple.txt"
    path.write_text(text)
    with pytest.raises(InputError, match=f"simple.txt.*{message}"):
        read_number_agreement(path)


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_pairs(tmp_path / "none.tsv")


def test_pairs_by_template_and_condition():
    one, two, three = (
        MinimalPair(("a",), "is", "are", template=template, condition=condition)
        for template, condition in (("simple", "plural"), ("adv", "plural"), ("", ""))
    )
    found = by_condition([two, one, three, two])
    assert found == {"adv plural": [two, two], "simple plural": [one], "no template": [three]}
    assert list(found) == ["adv plural", "simple plural", "no template"]
    assert by_condition([]) == {}


def test_what_is_no_pair():
    with pytest.raises(InputError, match="'the dog sees': prefix and suffix are tuples of words"):
        MinimalPair("the dog", "sees", "see")
    with pytest.raises(InputError, match="tuples of words"):
        MinimalPair(("the", "dog"), "sees", "see", "a cat")
    with pytest.raises(InputError, match="right or wrong is empty"):
        MinimalPair(("the", "dog"), " ", "see")


def test_spaces_around_words_and_unusual_line_ends(tmp_path):
    pair = MinimalPair(("the", "dog"), "sees", "see", ("a", "cat"), "x\u2028y", "singular")
    path = tmp_path / "pairs.tsv"
    write_pairs(path, [pair])
    assert read_pairs(path) == [pair]
    path.write_text(path.read_text().replace("sees", "sees "))
    assert read_pairs(path) == [pair]
