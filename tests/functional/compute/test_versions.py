"""Discovery of compute, and the API of before microversions."""

from tests.functional.conftest import Api


def test_versions_oldest_first(api: Api) -> None:
    found = api.get("/compute/", token="").json["versions"]
    assert [v["id"] for v in found] == ["v2.0", "v2.1"]
    for brief in found:
        (link,) = brief["links"]
        path = link["href"].partition("/compute")[2]
        document = api.get(f"/compute{path}", token="").json["version"]
        assert document["links"][0] == link
        assert {k: v for k, v in brief.items() if k != "links"}.items() <= document.items()


def test_v2_is_the_oldest_microversion_for_good(api: Api, flavor: str) -> None:
    headers = {"OpenStack-API-Version": "compute 2.61"}
    old = api.get(f"/compute/v2/flavors/{flavor}", headers=headers)
    assert "extra_specs" not in old.json["flavor"]
    assert "OpenStack-API-Version" not in old.headers
    assert "extra_specs" in api.get(f"/compute/v2.1/flavors/{flavor}", headers=headers).json["flavor"]
