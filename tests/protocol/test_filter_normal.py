"""The normal form means the same and is flatter."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from scim_provider.protocol.core import USER
from scim_provider.protocol.filter import normal_form, parse_filter, resolve_filter
from scim_provider.protocol.filter.normal import depth
from scim_provider.protocol.memory import matches
from scim_provider.protocol.schema import ResourceSchema

SCHEMA = ResourceSchema(USER)
LEAVES = ['title eq "a"', 'nickName ne "a"', "locale pr", 'emails[type eq "a" and not (value pr)]']
DOCUMENTS = [
    {
        **({"title": title} if title else {}),
        **({"nickName": nick} if nick else {}),
        **({"locale": "en"} if title != nick else {}),
        "emails": emails,
    }
    for title, nick, emails in product(
        ["", "a", "b"], ["", "a", "b"], [[], [{"type": "a"}], [{"type": "a", "value": "v"}]]
    )
]
FILTERS = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.builds("not ({})".format, inner)
        | st.builds("({} and {})".format, inner, inner)
        | st.builds("({} or {} or {})".format, inner, inner, inner)
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(FILTERS)
def test_the_normal_form_matches_the_same_documents(text: str) -> None:
    tree = resolve_filter(parse_filter(text), SCHEMA)
    normal = normal_form(tree)
    for document in DOCUMENTS:
        assert matches(normal, document) == matches(tree, document)


@settings(deadline=None)
@given(FILTERS)
def test_the_normal_form_is_its_own_and_never_deeper_than_a_leaf_more(text: str) -> None:
    tree = parse_filter(text)
    normal = normal_form(tree)
    assert normal_form(normal) == normal
    assert depth(normal) <= depth(tree) + 1


def test_the_deepest_term_comes_first_and_negations_are_at_the_leaves() -> None:
    text = "not (title pr and (locale pr or not (active pr or (timezone pr and userName pr))))"
    normal = "(timezone pr and userName pr or active pr) and not (locale pr) or not (title pr)"
    assert str(normal_form(parse_filter(text))) == normal
