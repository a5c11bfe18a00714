"""What operators look at and set: hypervisors by their old numbers, quota classes."""

from tests.fakes.fake_cloud import FakeCloud
from tests.functional.conftest import Api

V = "/compute/v2.1"
ADMIN = {"token": "admin"}


def test_old_microversions_know_hypervisors_by_number(cloud: FakeCloud, api: Api) -> None:
    cloud.add_host("h1")
    cloud.add_host("h2")
    found = api.get(f"{V}/os-hypervisors", **ADMIN).json["hypervisors"]
    assert len({h["id"] for h in found}) == 2
    for hypervisor in found:
        assert 0 < hypervisor["id"] < 2**31
        shown = api.get(f"{V}/os-hypervisors/{hypervisor['id']}", **ADMIN).json["hypervisor"]
        assert shown["hypervisor_hostname"] == hypervisor["hypervisor_hostname"]
    assert api.get(f"{V}/os-hypervisors/0", **ADMIN).status_code == 404


def test_the_default_class_limits_projects_without_limits_of_their_own(api: Api) -> None:
    url = f"{V}/os-quota-class-sets/default"
    assert api.put(url, {"quota_class_set": {"cores": 5}}).status_code == 403
    changed = api.put(url, {"quota_class_set": {"cores": 5}}, **ADMIN)
    assert changed.json["quota_class_set"]["cores"] == 5
    assert api.get(url, **ADMIN).json["quota_class_set"] == {
        "id": "default",
        **changed.json["quota_class_set"],
    }
    project = "a" * 32
    assert api.get(f"{V}/os-quota-sets/{project}").json["quota_set"]["cores"] == 5
    api.put(f"{V}/os-quota-sets/{project}", {"quota_set": {"cores": 7}}, **ADMIN)
    assert api.get(f"{V}/os-quota-sets/{project}").json["quota_set"]["cores"] == 7
    assert api.put(url, {"quota_class_set": {"coins": 5}}, **ADMIN).status_code == 400


def test_a_private_flavor_is_given_to_projects(api: Api) -> None:
    given = {"name": "own", "ram": 64, "vcpus": 1, "disk": 1, "os-flavor-access:is_public": False}
    flavor = api.post(f"{V}/flavors", {"flavor": given}, **ADMIN).json["flavor"]["id"]
    url, project = f"{V}/flavors/{flavor}", "a" * 32

    def act(action: str, token: str = "admin", tenant: str = project) -> int:
        return int(api.post(f"{url}/action", {action: {"tenant": tenant}}, token=token).status_code)

    assert api.get(url).status_code == 404
    assert act("addTenantAccess", token="member") == 403
    assert [act("addTenantAccess"), act("addTenantAccess")] == [200, 409]
    assert act("addTenantAccess", tenant="nobody") == 400
    assert api.get(url).status_code == 200
    entry = {"flavor_id": flavor, "tenant_id": project}
    assert api.get(f"{url}/os-flavor-access", **ADMIN).json == {"flavor_access": [entry]}
    assert [act("removeTenantAccess"), act("removeTenantAccess")] == [200, 404]
    assert api.get(url).status_code == 404


def test_a_public_flavor_has_no_list(api: Api, flavor: str) -> None:
    url = f"{V}/flavors/{flavor}"
    assert api.get(f"{url}/os-flavor-access", **ADMIN).status_code == 404
    body = {"addTenantAccess": {"tenant": "a" * 32}}
    assert api.post(f"{url}/action", body, **ADMIN).status_code == 409
