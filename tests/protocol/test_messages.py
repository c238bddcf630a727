from __future__ import annotations

from typing import Any

import pytest

from scim_provider.protocol.errors import InvalidSyntax, InvalidValue
from scim_provider.protocol.messages import (
    SEARCH_REQUEST_URN,
    ListQuery,
    Precondition,
    list_response,
)


def search_request(**members: Any) -> dict[str, Any]:
    return {"schemas": [SEARCH_REQUEST_URN], **members}


def test_a_query_without_parameters_asks_for_the_first_page_in_no_particular_order():
    assert ListQuery.from_parameters({}) == ListQuery(
        filter=None, sort_by=None, sort_order="ascending", start_index=1, count=None
    )


def test_parameters_that_mean_nothing_here_are_ignored():
    assert ListQuery.from_parameters({"aadOptscim062020": "", "foo": "bar"}) == ListQuery()


def test_every_parameter_arrives():
    query = ListQuery.from_parameters(
        {
            "filter": 'userName eq "a"',
            "sortBy": "name.familyName",
            "sortOrder": "descending",
            "startIndex": "11",
            "count": "10",
            "attributes": "userName, emails.value",
        }
    )
    assert query == ListQuery(
        filter='userName eq "a"',
        sort_by="name.familyName",
        sort_order="descending",
        start_index=11,
        count=10,
        attributes=("userName", "emails.value"),
    )


def test_parameter_names_are_read_in_any_case():
    query = ListQuery.from_parameters({"STARTINDEX": "3", "excludedattributes": "members"})
    assert (query.start_index, query.excluded_attributes) == (3, ("members",))


@pytest.mark.parametrize("sent", ["0", "-7"])
def test_a_start_index_below_one_counts_as_one(sent):
    assert ListQuery.from_parameters({"startIndex": sent}).start_index == 1


def test_a_negative_count_counts_as_zero():
    assert ListQuery.from_parameters({"count": "-1"}).count == 0


def test_an_absurdly_great_number_stays_within_the_integers_of_databases():
    assert ListQuery.from_parameters({"startIndex": "9" * 5000}).start_index == 2**31 - 1


@pytest.mark.parametrize("name", ["startIndex", "count"])
@pytest.mark.parametrize("sent", ["ten", "1.5", "1e2", "0x10", "1_000", "٣", "1;drop", "NaN"])
def test_what_is_no_whole_number_is_an_invalid_value_naming_the_parameter(name, sent):
    with pytest.raises(InvalidValue, match=name):
        ListQuery.from_parameters({name: sent})


def test_an_empty_number_counts_as_not_sent():
    assert ListQuery.from_parameters({"count": "", "startIndex": " "}) == ListQuery()


def test_sort_order_is_read_in_any_case():
    assert ListQuery.from_parameters({"sortOrder": "Descending"}).sort_order == "descending"


def test_an_unknown_sort_order_is_an_invalid_value():
    with pytest.raises(InvalidValue, match="ascending or descending"):
        ListQuery.from_parameters({"sortOrder": "up"})


@pytest.mark.parametrize("name", ["filter", "sortBy", "sortOrder", "attributes"])
@pytest.mark.parametrize("character", ["\x00", "\ud800"])
def test_what_no_database_can_hold_is_refused_in_every_parameter(name, character):
    with pytest.raises(InvalidValue, match=name):
        ListQuery.from_parameters({name: f"a{character}b"})


def test_a_page_never_holds_more_than_the_service_provider_serves():
    assert ListQuery(count=5000).limited(default=100, most=1000).count == 1000
    assert ListQuery(count=None).limited(default=100, most=1000).count == 100
    assert ListQuery(count=None).limited(default=100, most=50).count == 50
    assert ListQuery(count=0).limited(default=100, most=1000).count == 0


def test_a_search_request_says_the_same_as_the_parameters():
    body = search_request(
        filter="active eq true",
        sortBy="userName",
        sortOrder="descending",
        startIndex=2,
        count=5,
        excludedAttributes=["members", "groups"],
    )
    parameters = {
        "filter": "active eq true",
        "sortBy": "userName",
        "sortOrder": "descending",
        "startIndex": "2",
        "count": "5",
        "excludedAttributes": "members,groups",
    }
    assert ListQuery.from_search_request(body) == ListQuery.from_parameters(parameters)


def test_a_search_request_is_read_with_its_keys_in_any_case():
    body = {"SCHEMAS": [SEARCH_REQUEST_URN.upper()], "Count": 3, "ATTRIBUTES": ["userName"]}
    assert ListQuery.from_search_request(body) == ListQuery(count=3, attributes=("userName",))


@pytest.mark.parametrize(
    "schemas",
    [None, [], SEARCH_REQUEST_URN, {}, [7], ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]],
)
def test_a_search_request_must_name_its_schema(schemas):
    with pytest.raises(InvalidSyntax, match="SearchRequest"):
        ListQuery.from_search_request({"schemas": schemas, "count": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", True),
        ("count", 1.5),
        ("count", [1]),
        ("startIndex", {}),
        ("filter", 7),
        ("sortBy", ["userName"]),
        ("attributes", {"a": 1}),
        ("attributes", ["userName", 7]),
        ("excludedAttributes", 7),
    ],
)
def test_a_member_of_the_wrong_type_is_an_invalid_value_naming_it(name, value):
    with pytest.raises(InvalidValue, match=name):
        ListQuery.from_search_request(search_request(**{name: value}))


def test_a_null_in_a_search_request_counts_as_not_sent():
    assert ListQuery.from_search_request(search_request(filter=None, count=None)) == ListQuery()


def test_a_list_response_says_how_many_there_are_and_how_many_are_here():
    response = list_response([{"id": "1"}, {"id": "2"}], total=7, start_index=3)
    assert response == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": 7,
        "startIndex": 3,
        "itemsPerPage": 2,
        "Resources": [{"id": "1"}, {"id": "2"}],
    }


def test_an_empty_list_response_still_has_resources():
    assert list_response([], total=0)["Resources"] == []


def test_without_a_precondition_every_version_may_change():
    assert Precondition.none().allows('W/"1"')
    assert not Precondition.none().is_cached('W/"1"')


@pytest.mark.parametrize(
    "if_match", ['W/"3"', '"3"', 'w/"3"', "3", "W/3", '"1", W/"3"', '"1","2" , "3"', "*", "", " "]
)
def test_a_tag_matches_weakly_in_a_list_or_as_a_star(if_match):
    assert Precondition.parse(if_match).allows('W/"3"')


@pytest.mark.parametrize("if_match", ['W/"2"', '"33"', "garbage", '"', '""', ",", '"3, 4"'])
def test_a_tag_of_another_version_or_none_at_all_does_not_match(if_match):
    assert not Precondition.parse(if_match).allows('W/"3"')


def test_if_none_match_tells_what_a_reader_has_and_stops_a_writer():
    precondition = Precondition.parse(None, 'W/"1", W/"3"')
    assert precondition.is_cached('W/"3"')
    assert not precondition.allows('W/"3"')
    assert not precondition.is_cached('W/"2"')
    assert precondition.allows('W/"2"')
