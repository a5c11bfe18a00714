"""Services, hosts, pools, quotas, limits and what else there is about the service."""

from typing import Any

ALPHA, BETA = "a" * 32, "b" * 32


def test_services(api: Any, engine: Any) -> None:
    engine.host()
    (service,) = api.get("/v3/os-services", token="admin").json["services"]
    assert (service["binary"], service["host"], service["state"]) == ("cinder-volume", "store1@lvm", "up")
    assert "cluster" not in service
    assert api.get("/v3/os-services").status_code == 403
    which = {"host": "store1@lvm", "binary": "cinder-volume"}
    said = api.put("/v3/os-services/disable-log-reason", {**which, "disabled_reason": "why"}, token="admin")
    assert said.json["disabled_reason"] == "why"
    (service,) = api.get("/v3/os-services?host=store1", token="admin").json["services"]
    assert (service["status"], service["disabled_reason"]) == ("disabled", "why")
    assert api.put("/v3/os-services/enable", which, token="admin").json["status"] == "enabled"
    assert api.put("/v3/os-services/disable", which, token="admin").json["disabled"] is True
    assert api.put("/v3/os-services/enable", {"host": "x", "binary": "y"}, token="admin").status_code == 404
    assert api.put("/v3/os-services/enable", {"binary": "y"}, token="admin").status_code == 400
    assert api.put("/v3/os-services/enable", {"host": "y"}, token="admin").status_code == 400
    assert api.put("/v3/os-services/fly", which, token="admin").status_code == 404


def test_hosts_pools_zones_extensions(api: Any, engine: Any) -> None:
    engine.host()
    assert api.get("/v3/os-hosts", token="admin").json["hosts"][0]["host_name"] == "store1@lvm"
    (total,) = api.get("/v3/os-hosts/store1@lvm", token="admin").json["host"]
    assert total["resource"]["project"] == "(total)"
    assert api.get("/v3/os-hosts/nowhere", token="admin").status_code == 404
    pools = api.get("/v3/scheduler-stats/get_pools?detail=True", token="admin").json["pools"]
    assert pools[0]["capabilities"]["free_capacity_gb"] == 500
    assert api.get("/v3/scheduler-stats/get_pools", token="admin").json == {
        "pools": [{"name": "store1@lvm#lvm"}]
    }
    zones = api.get("/v3/os-availability-zone").json["availabilityZoneInfo"]
    assert zones == [{"zoneName": "nova", "zoneState": {"available": True}}]
    assert api.get("/v3/extensions").json["extensions"]
    assert api.get("/v3/extensions/os-hosts").status_code == 200
    assert api.get("/v3/extensions/x").status_code == 404


def test_quotas(api: Any) -> None:
    url = f"/v3/os-quota-sets/{ALPHA}"
    shown = api.get(url).json["quota_set"]
    assert (shown["id"], shown["volumes"], shown["gigabytes"], shown["groups"]) == (ALPHA, 10, 1000, 10)
    assert api.get(f"/v3/os-quota-sets/{BETA}").status_code == 403
    assert api.put(url, {"quota_set": {"volumes": 1}}).status_code == 403
    told = api.put(url, {"quota_set": {"volumes": 1}}, token="admin").json["quota_set"]
    assert (told["volumes"], "id" in told) == (1, False)
    for given in (
        {"volumes": "x"},
        {"volumes": -2},
        {"nonsense": 1},
        {},
        {"volumes": 2**40},
        {"volumes": True},
    ):
        assert api.put(url, {"quota_set": given}, token="admin").status_code == 400, given
    assert api.post("/v3/volumes", {"volume": {"size": 1}}).status_code == 202
    assert api.post("/v3/volumes", {"volume": {"size": 1}}).status_code == 413
    usage = api.get(f"{url}?usage=True").json["quota_set"]["volumes"]
    assert usage == {"limit": 1, "in_use": 1, "reserved": 0}
    assert api.put(url, {"quota_set": {"volumes": 0}}, token="admin").status_code == 400
    assert api.delete(url, token="admin").status_code == 200
    assert api.get(url).json["quota_set"]["volumes"] == 10
    assert api.get(f"{url}/defaults").json["quota_set"]["volumes"] == 10


def test_quota_of_types_and_classes(api: Any) -> None:
    url = f"/v3/os-quota-sets/{ALPHA}"
    assert api.get(url).json["quota_set"]["volumes___DEFAULT__"] == -1
    api.put(url, {"quota_set": {"gigabytes___DEFAULT__": 5}}, token="admin")
    assert api.post("/v3/volumes", {"volume": {"size": 6}}).status_code == 413
    api.put(url, {"quota_set": {"gigabytes___DEFAULT__": -1, "per_volume_gigabytes": 3}}, token="admin")
    assert api.post("/v3/volumes", {"volume": {"size": 4}}).status_code == 413
    classes = "/v3/os-quota-class-sets/default"
    set_to = {"quota_class_set": {"volumes": 7}}
    assert api.put(classes, set_to, token="admin").json["quota_class_set"]["volumes"] == 7
    assert api.get(classes, token="admin").json["quota_class_set"]["id"] == "default"
    assert api.get(f"/v3/os-quota-sets/{BETA}", token="member@beta").json["quota_set"]["volumes"] == 7
    assert api.put(classes, {"quota_class_set": {"volumes": "x"}}, token="admin").status_code == 400


def test_limits(api: Any) -> None:
    api.post("/v3/volumes", {"volume": {"size": 3}})
    absolute = api.get("/v3/limits").json["limits"]["absolute"]
    assert (absolute["maxTotalVolumes"], absolute["totalVolumesUsed"]) == (10, 1)
    assert absolute["totalGigabytesUsed"] == 3
    other = api.get(
        f"/v3/limits?project_id={ALPHA}",
        token="admin@beta",
        headers={"OpenStack-API-Version": "volume 3.39"},
    )
    assert other.json["limits"]["absolute"]["totalVolumesUsed"] == 1
    mine = api.get(f"/v3/limits?project_id={ALPHA}", token="member@beta")
    assert mine.json["limits"]["absolute"]["totalVolumesUsed"] == 0
