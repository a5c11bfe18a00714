"""The network API on the shared fixtures, and short ways to make what most tests need."""

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from controller.network import routes
from controller.network.policies import RULES


@pytest.fixture
def api(client_of: Callable[..., Any]) -> Any:
    """The network API as member@alpha, without a prefix: links of pages lead back to this client."""
    return client_of(dataclasses.replace(routes.SERVICE, prefix=""), RULES)


@pytest.fixture
def make(api: Any) -> Callable[..., dict[str, Any]]:
    """``make("port", network_id=…, token="admin")`` posts one resource and returns it."""

    def post(singular: str, token: str = "member", **values: Any) -> dict[str, Any]:
        path = "/v2.0/" + singular.replace("_", "-") + "s"
        answer = api.post(path, {singular: values}, token=token)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json[singular]
        return found

    return post


@pytest.fixture
def net(make: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """A network of alpha with an IPv4 subnet, and the subnet's id under "subnet"."""
    network = make("network", name="net")
    subnet = make("subnet", network_id=network["id"], ip_version=4, cidr="10.0.0.0/24")
    return {**network, "subnet": subnet["id"]}


@pytest.fixture
def outside(make: Callable[..., dict[str, Any]]) -> dict[str, Any]:
    """An external network of the administrator's, its subnet's id under "subnet"."""
    network = make("network", token="admin@admin", name="outside", **{"router:external": True})
    subnet = make(
        "subnet", token="admin@admin", network_id=network["id"], ip_version=4, cidr="198.51.100.0/24"
    )
    return {**network, "subnet": subnet["id"]}
