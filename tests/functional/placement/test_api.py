"""The placement API as its clients use it: bodies, statuses, generations, microversions."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from controller.placement.policies import RULES
from controller.placement.routes import SERVICE

VCPU = {"total": 8, "reserved": 0, "min_unit": 1, "max_unit": 8, "step_size": 1, "allocation_ratio": 1.0}
SERVER = "11111111-2222-4333-8444-555555555555"


def at(version: str) -> dict[str, dict[str, str]]:
    return {"headers": {"OpenStack-API-Version": f"placement {version}"}}


NEW = at("1.39")


@pytest.fixture
def api(client_of: Callable[..., Any]) -> Any:
    client = client_of(SERVICE, RULES)
    client.token = "admin"
    return client


@pytest.fixture
def host(api: Any) -> str:
    made = api.post("/resource_providers", {"name": "one"}, **NEW)
    assert made.status_code == 200
    provider: str = made.json["uuid"]
    body = {"resource_provider_generation": 0, "inventories": {"VCPU": VCPU, "MEMORY_MB": {"total": 1024}}}
    assert api.put(f"/resource_providers/{provider}/inventories", body, **NEW).status_code == 200
    return provider


def wanted(provider: str, generation: int | None = None, **resources: int) -> dict[str, Any]:
    return {
        "allocations": {provider: {"resources": resources}},
        "project_id": "p",
        "user_id": "u",
        "consumer_generation": generation,
        "consumer_type": "INSTANCE",
    }


def test_root_needs_no_token(api: Any) -> None:
    answer = api.get("/", token="")
    assert answer.status_code == 200
    assert answer.json["versions"][0]["max_version"] == "1.39"


def test_a_member_may_not(api: Any) -> None:
    answer = api.get("/resource_providers", token="member")
    assert answer.status_code == 403
    assert set(answer.json["errors"][0]) == {"status", "title", "detail", "code", "request_id"}


def test_unspeakable_version_is_told_the_range(api: Any) -> None:
    answer = api.get("/", **at("1.99"))
    assert answer.status_code == 406
    assert answer.json["errors"][0]["max_version"] == "1.39"


@pytest.mark.parametrize(
    ("version", "path"),
    [
        ("1.0", "/traits"),
        ("1.1", "/resource_classes"),
        ("1.9", "/allocation_candidates?resources=VCPU:1"),
        ("1.8", "/usages?project_id=p"),
    ],
)
def test_urls_begin_to_exist(api: Any, version: str, path: str) -> None:
    assert api.get(path, **at(version)).status_code == 404
    assert api.get(path, **NEW).status_code == 200


def test_provider_life(api: Any) -> None:
    old = api.post("/resource_providers", {"name": "old"}, **at("1.0"))
    assert (old.status_code, old.text) == (201, "")
    shown = api.get(old.headers["location"].removeprefix("/placement"), **at("1.0")).json
    assert set(shown) == {"uuid", "name", "generation", "links"}
    assert [link["rel"] for link in shown["links"]] == ["self", "inventories", "usages"]
    path = f"/resource_providers/{shown['uuid']}"
    assert api.post("/resource_providers", {"name": "old"}, **NEW).status_code == 409
    assert api.put(path, {"name": "new"}, **NEW).json["name"] == "new"
    assert api.put(path, {"name": "new", "x": 1}, **NEW).status_code == 400
    assert api.get("/resource_providers?name=new", **NEW).json["resource_providers"][0]["uuid"]
    assert api.get("/resource_providers?nome=new", **NEW).status_code == 400
    assert api.delete(path, **NEW).status_code == 204
    assert api.get(path, **NEW).status_code == 404


def test_tree(api: Any, host: str) -> None:
    child = api.post("/resource_providers", {"name": "c", "parent_provider_uuid": host}, **NEW).json
    assert child["root_provider_uuid"] == host
    assert api.delete(f"/resource_providers/{host}", **NEW).status_code == 409
    found = api.get(f"/resource_providers?in_tree={child['uuid']}", **NEW).json["resource_providers"]
    assert {p["uuid"] for p in found} == {host, child["uuid"]}
    loop = {"name": "one", "parent_provider_uuid": child["uuid"]}
    assert api.put(f"/resource_providers/{host}", loop, **NEW).status_code == 400
    free = {"name": "c", "parent_provider_uuid": None}
    assert api.put(f"/resource_providers/{child['uuid']}", free, **at("1.36")).status_code == 400
    moved = api.put(f"/resource_providers/{child['uuid']}", free, **NEW)
    assert moved.json["root_provider_uuid"] == child["uuid"]


def test_inventories_and_generations(api: Any, host: str) -> None:
    path = f"/resource_providers/{host}/inventories"
    shown = api.get(path, **NEW).json
    assert shown["resource_provider_generation"] == 1
    assert shown["inventories"]["VCPU"] == VCPU
    stale = api.put(path, {"resource_provider_generation": 0, "inventories": {}}, **NEW)
    assert (stale.status_code, stale.json["errors"][0]["code"]) == (409, "placement.concurrent_update")
    one = {**VCPU, "total": 4, "resource_provider_generation": 1}
    assert api.put(f"{path}/VCPU", one, **NEW).json["total"] == 4
    bad = {**one, "reserved": 5, "resource_provider_generation": 2}
    assert api.put(f"{path}/VCPU", bad, **NEW).status_code == 400
    assert api.post(path, {"resource_class": "DISK_GB", "total": 10}, **NEW).status_code == 201
    assert api.post(path, {"resource_class": "DISK_GB", "total": 10}, **NEW).status_code == 409
    assert api.post(path, {"resource_class": "CUSTOM_X", "total": 10}, **NEW).status_code == 400
    assert api.delete(f"{path}/DISK_GB", **NEW).status_code == 204
    assert api.get(f"{path}/DISK_GB", **NEW).status_code == 404
    assert api.delete(path, **at("1.4")).status_code == 405


def test_allocations_of_a_consumer(api: Any, host: str) -> None:
    path = f"/allocations/{SERVER}"
    assert api.get(path, **NEW).json == {"allocations": {}}
    assert api.put(path, wanted(host, VCPU=2), **NEW).status_code == 204
    shown = api.get(path, **NEW).json
    assert shown["allocations"][host]["resources"] == {"VCPU": 2}
    assert (shown["consumer_generation"], shown["consumer_type"]) == (1, "INSTANCE")
    assert api.put(path, wanted(host, VCPU=2), **NEW).status_code == 409
    assert api.put(path, wanted(host, 1, VCPU=9), **NEW).status_code == 409
    assert api.put(path, wanted(host, 1, VCPU=8), **NEW).status_code == 204
    assert api.get(f"/resource_providers/{host}/usages", **NEW).json["usages"] == {
        "VCPU": 8,
        "MEMORY_MB": 0,
    }
    assert api.delete(f"/resource_providers/{host}", **NEW).status_code == 409
    inuse = api.put(
        f"/resource_providers/{host}/inventories",
        {
            "resource_provider_generation": api.get(f"/resource_providers/{host}").json["generation"],
            "inventories": {},
        },
        **NEW,
    )
    assert (inuse.status_code, inuse.json["errors"][0]["code"]) == (409, "placement.inventory.inuse")
    by_provider = api.get(f"/resource_providers/{host}/allocations", **NEW).json
    assert by_provider["allocations"][SERVER] == {"resources": {"VCPU": 8}, "consumer_generation": 2}
    assert api.delete(path, **NEW).status_code == 204
    assert api.delete(path, **NEW).status_code == 404


def test_old_forms_of_allocations(api: Any, host: str) -> None:
    listed = {"allocations": [{"resource_provider": {"uuid": host}, "resources": {"VCPU": 1}}]}
    assert api.put(f"/allocations/{SERVER}", listed, **at("1.0")).status_code == 204
    assert api.put(f"/allocations/{SERVER}", listed, **at("1.8")).status_code == 400
    owned = {**listed, "project_id": "p", "user_id": "u"}
    assert api.put(f"/allocations/{SERVER}", owned, **at("1.8")).status_code == 204
    assert api.put(f"/allocations/{SERVER}", owned, **NEW).status_code == 400
    assert api.get(f"/allocations/{SERVER}", **at("1.12")).json["project_id"] == "p"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"allocations": {}},
        wanted("99999999-9999-4999-8999-999999999999", VCPU=1),
        wanted("nonsense", VCPU=1),
    ],
)
def test_bad_allocations_are_refused(api: Any, body: Any) -> None:
    assert api.put(f"/allocations/{SERVER}", body, **NEW).status_code == 400
    assert api.put("/allocations/x", body, **NEW).status_code == 400


def test_several_consumers_all_or_nothing(api: Any, host: str) -> None:
    other = str(uuid.uuid4())
    too_much = {SERVER: wanted(host, VCPU=5), other: wanted(host, VCPU=4)}
    assert api.post("/allocations", too_much, **NEW).status_code == 409
    assert api.get(f"/allocations/{SERVER}", **NEW).json == {"allocations": {}}
    fits = {SERVER: wanted(host, VCPU=5), other: wanted(host, VCPU=3)}
    assert api.post("/allocations", fits, **NEW).status_code == 204
    usages = api.get("/usages?project_id=p", **NEW).json["usages"]
    assert usages == {"INSTANCE": {"consumer_count": 2, "VCPU": 8}}
    assert api.get("/usages?project_id=p", **at("1.9")).json["usages"] == {"VCPU": 8}
    every = api.get("/usages?project_id=p&consumer_type=all", **NEW).json["usages"]
    assert every == {"all": {"consumer_count": 2, "VCPU": 8}}


def test_a_reader_sees_only_his_own_usages(api: Any) -> None:
    assert api.get(f"/usages?project_id={'a' * 32}", token="reader", **NEW).status_code == 200
    assert api.get("/usages?project_id=p", token="reader", **NEW).status_code == 403


def test_traits(api: Any, host: str) -> None:
    path = f"/resource_providers/{host}/traits"
    assert api.put("/traits/CUSTOM_FAST", **NEW).status_code == 201
    assert api.put("/traits/CUSTOM_FAST", **NEW).status_code == 204
    assert api.put("/traits/FAST", **NEW).status_code == 400
    assert api.get("/traits/HW_CPU_X86_AVX2", **NEW).status_code == 204
    body = {"resource_provider_generation": 1, "traits": ["CUSTOM_FAST", "HW_CPU_X86_AVX2"]}
    assert api.put(path, body, **NEW).json["resource_provider_generation"] == 2
    assert api.put(path, body, **NEW).status_code == 409
    assert api.delete("/traits/CUSTOM_FAST", **NEW).status_code == 409
    assert api.get("/traits?associated=true", **NEW).json["traits"] == sorted(body["traits"])
    for query, count in (
        ("required=CUSTOM_FAST", 1),
        ("required=!CUSTOM_FAST", 0),
        ("required=in:COMPUTE_NODE,CUSTOM_FAST", 1),
        ("resources=VCPU:8", 1),
        ("resources=VCPU:9", 0),
    ):
        found = api.get(f"/resource_providers?{query}", **NEW).json["resource_providers"]
        assert len(found) == count, query
    assert api.get("/resource_providers?required=CUSTOM_NONE", **NEW).status_code == 400
    assert api.delete(path, **NEW).status_code == 204
    assert api.delete("/traits/CUSTOM_FAST", **NEW).status_code == 204


def test_resource_classes(api: Any) -> None:
    assert api.put("/resource_classes/CUSTOM_GOLD", **NEW).status_code == 201
    assert api.put("/resource_classes/CUSTOM_GOLD", **NEW).status_code == 204
    assert api.post("/resource_classes", {"name": "CUSTOM_GOLD"}, **NEW).status_code == 409
    assert api.put("/resource_classes/GOLD", **NEW).status_code == 400
    names = [c["name"] for c in api.get("/resource_classes", **NEW).json["resource_classes"]]
    assert names[0] == "VCPU" and names[-1] == "CUSTOM_GOLD"
    assert api.delete("/resource_classes/VCPU", **NEW).status_code == 400
    assert api.delete("/resource_classes/CUSTOM_GOLD", **NEW).status_code == 204
    assert api.get("/resource_classes/CUSTOM_GOLD", **NEW).status_code == 404


def test_aggregates(api: Any, host: str) -> None:
    group, path = str(uuid.uuid4()), f"/resource_providers/{host}/aggregates"
    assert api.put(path, [group], **at("1.1")).json == {"aggregates": [group]}
    body = {"aggregates": [group], "resource_provider_generation": 1}
    assert api.put(path, body, **NEW).json == {**body, "resource_provider_generation": 2}
    assert api.get(f"/resource_providers?member_of={group}", **NEW).json["resource_providers"]
    assert not api.get(f"/resource_providers?member_of=!{group}", **NEW).json["resource_providers"]


def test_candidates(api: Any, host: str) -> None:
    path = "/allocation_candidates"
    shown = api.get(f"{path}?resources=VCPU:2", **NEW).json
    assert shown["allocation_requests"] == [
        {"allocations": {host: {"resources": {"VCPU": 2}}}, "mappings": {"": [host]}}
    ]
    assert shown["provider_summaries"][host]["resources"]["VCPU"] == {"capacity": 8, "used": 0}
    old = api.get(f"{path}?resources=VCPU:2", **at("1.10")).json
    assert old["allocation_requests"][0]["allocations"][0]["resource_provider"] == {"uuid": host}
    assert set(old["provider_summaries"][host]) == {"resources"}
    assert not api.get(f"{path}?resources=VCPU:9", **NEW).json["allocation_requests"]
    two = f"{path}?resources1=VCPU:5&resources2=VCPU:4"
    assert api.get(two, **NEW).status_code == 400
    assert not api.get(f"{two}&group_policy=none", **NEW).json["allocation_requests"]
    for bad in (
        "",
        "?resources=VCPU",
        "?resources=NO:1",
        "?resources=VCPU:1&limit=0",
        "?resources=VCPU:1&x=1",
    ):
        assert api.get(path + bad, **NEW).status_code == 400, bad


def test_reshape(api: Any, host: str) -> None:
    api.put(f"/allocations/{SERVER}", wanted(host, VCPU=2, MEMORY_MB=8), **NEW)
    child = api.post("/resource_providers", {"name": "c", "parent_provider_uuid": host}, **NEW).json["uuid"]
    generation = api.get(f"/resource_providers/{host}", **NEW).json["generation"]
    moved = wanted(host, 1, MEMORY_MB=8)
    moved["allocations"][child] = {"resources": {"VCPU": 2}}
    body = {
        "inventories": {
            host: {
                "inventories": {"MEMORY_MB": {"total": 1024}},
                "resource_provider_generation": generation,
            },
            child: {"inventories": {"VCPU": VCPU}, "resource_provider_generation": 0},
        },
        "allocations": {SERVER: moved},
    }
    assert api.post("/reshaper", body, **NEW).status_code == 204
    assert api.get(f"/resource_providers/{child}/usages", **NEW).json["usages"] == {"VCPU": 2}
