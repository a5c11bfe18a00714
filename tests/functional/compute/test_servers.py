"""Servers from the request to the host's report and back, with pretended hosts."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from contract.document import Key
from contract.kinds import decode
from contract.report import Fault
from contract.segment import Segment
from controller.compute.servers.model import Server
from controller.db.outbox import changed
from controller.db.session import Database
from controller.operations.model import LIVE, Operation
from controller.placement.model import Allocation
from tests.fakes.fake_cloud import FakeCloud
from tests.functional.conftest import Api

SERVERS = "/compute/v2.1/servers"


def create(api: Api, body: dict[str, Any]) -> str:
    made = api.post(SERVERS, body)
    assert made.status_code == 202, made.text
    return str(made.json["server"]["id"])


def show(api: Api, server_id: str, token: str = "member") -> Any:
    answer = api.get(f"{SERVERS}/{server_id}", token=token)
    return answer.json["server"] if answer.status_code == 200 else None


def becomes(cloud: FakeCloud, api: Api, server_id: str, status: str) -> Any:
    def look() -> Any:
        server = show(api, server_id)
        assert server is None or status == "ERROR" or server["status"] != "ERROR", server["fault"]
        is_there = server and server["status"] == status and server["OS-EXT-STS:task_state"] is None
        return server if is_there else None

    return cloud.until(look)


def is_gone(cloud: FakeCloud, api: Api, server_id: str) -> None:
    cloud.until(lambda: show(api, server_id) is None)


def allocations(db: Database) -> int:
    with db.read() as session:
        return session.scalar(select(func.count()).select_from(Allocation)) or 0


def nothing_is_under_way(db: Database) -> bool:
    with db.read() as session:
        return session.scalar(select(Operation.id).where(Operation.state.in_(LIVE)).limit(1)) is None


def test_a_server_boots_and_is_deleted_without_a_trace(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]
) -> None:
    host = cloud.add_host("one")
    server_id = create(api, body)
    server = becomes(cloud, api, server_id, "ACTIVE")
    assert server["addresses"]["n"][0]["version"] == 4
    assert server["OS-EXT-STS:power_state"] == 1
    assert host.kinds() == ["instance_data", "network", "port", "security_group", "segment", "server"]
    assert allocations(db) == 3
    assert api.delete(f"{SERVERS}/{server_id}").status_code == 204
    is_gone(cloud, api, server_id)
    cloud.until(lambda: not host.held)
    assert allocations(db) == 0
    assert api.get("/network/v2.0/ports?device_owner=compute:nova").json["ports"] == []
    assert nothing_is_under_way(db)
    assert all(answer.is_in_step for answer in host.beat())


def test_a_refusal_is_undone_and_the_next_host_tried(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]
) -> None:
    first = cloud.add_host("first", vcpus=64)
    first.refuse["server"] = Fault(message="no KVM here")
    cloud.add_host("second")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    assert show(api, server_id, "admin")["OS-EXT-SRV-ATTR:host"] == "second"
    cloud.until(lambda: not first.held)
    assert allocations(db) == 3


def test_no_host_ends_in_error_with_the_reason(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]
) -> None:
    cloud.add_host("small", vcpus=0)
    server_id = create(api, body)
    server = becomes(cloud, api, server_id, "ERROR")
    assert server["fault"]["message"].startswith("No valid host was found")
    assert "details" not in server["fault"]
    details = show(api, server_id, "admin")["fault"]["details"]
    assert "Resources: small: it has 0 VCPU left of the 1 needed" in details
    assert allocations(db) == 0
    assert api.delete(f"{SERVERS}/{server_id}").status_code == 204
    is_gone(cloud, api, server_id)


def test_refused_everywhere_is_an_error_and_the_hosts_are_clean(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]
) -> None:
    hosts = [cloud.add_host(name) for name in ("a", "b")]
    for host in hosts:
        host.refuse["server"] = Fault(message="disk is full")
    server_id = create(api, body)
    server = becomes(cloud, api, server_id, "ERROR")
    assert "disk is full" in server["fault"]["message"]
    assert allocations(db) == 0
    for host in hosts:
        cloud.until(lambda host=host: not host.held)


def test_stop_start_and_reboot(cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]) -> None:
    host = cloud.add_host("one")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    action = f"{SERVERS}/{server_id}/action"
    assert api.post(action, {"os-stop": None}).status_code == 202
    becomes(cloud, api, server_id, "SHUTOFF")
    assert host.server(server_id).power == "off"
    assert api.post(action, {"os-stop": None}).status_code == 409
    assert api.post(action, {"os-start": None}).status_code == 202
    becomes(cloud, api, server_id, "ACTIVE")
    for kind in ("SOFT", "HARD"):
        assert api.post(action, {"reboot": {"type": kind}}).status_code == 202
        becomes(cloud, api, server_id, "ACTIVE")
        cloud.until(lambda: nothing_is_under_way(db))
    cloud.until(lambda: host.server(server_id).imperatives == ())


def test_a_host_that_pulled_between_two_changes_is_told_of_the_second(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]
) -> None:
    host = cloud.add_host("one")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    cloud.outbox.stop()

    def rename(session: Session, name: str) -> None:
        session.execute(update(Server).where(Server.id == server_id).values(name=name))
        changed(session, "server", server_id)

    db.write(lambda s: rename(s, "for-a-moment"))
    host.work(Key("server", server_id))
    db.write(lambda s: rename(s, "s"))
    cloud.outbox.flush()
    assert host.server(server_id).name == "s"


def test_a_guests_own_shutdown_is_respected(cloud: FakeCloud, api: Api, body: dict[str, Any]) -> None:
    host = cloud.add_host("one")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    generation = host.server(server_id).power_generation
    host.guest_shuts_down(server_id)
    becomes(cloud, api, server_id, "SHUTOFF")
    cloud.until(lambda: host.server(server_id).power == "off")
    assert host.server(server_id).power_generation > generation


def test_delete_in_the_middle_of_boot_leaves_nothing(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]
) -> None:
    host = cloud.add_host("one")
    host.hold = {"server"}
    server_id = create(api, body)
    cloud.until(lambda: "port" in host.kinds())
    assert api.delete(f"{SERVERS}/{server_id}").status_code == 204
    host.hold = set()
    host.beat()
    is_gone(cloud, api, server_id)
    cloud.until(lambda: not host.held)
    assert allocations(db) == 0


def test_lost_hints_are_made_good_by_the_heartbeat(cloud: FakeCloud, api: Api, body: dict[str, Any]) -> None:
    host = cloud.add_host("one")
    host.is_deaf = True
    server_id = create(api, body)
    cloud.until(lambda: show(api, server_id, "admin")["OS-EXT-SRV-ATTR:host"] == "one")
    cloud.until(lambda: host.beat() and show(api, server_id)["status"] == "ACTIVE")


def test_a_volume_is_attached_and_detached(cloud: FakeCloud, api: Api, body: dict[str, Any]) -> None:
    host = cloud.add_host("one")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    volume_id = api.post("/volume/v3/volumes", {"volume": {"size": 1, "name": "v"}}).json["volume"]["id"]
    status = lambda: api.get(f"/volume/v3/volumes/{volume_id}").json["volume"]["status"]  # noqa: E731
    cloud.until(lambda: status() == "available")
    attach = {"volumeAttachment": {"volumeId": volume_id}}
    url = f"{SERVERS}/{server_id}/os-volume_attachments"
    answer = api.post(url, attach)
    assert answer.status_code == 200 and answer.json["volumeAttachment"]["device"] == "/dev/vdb"
    cloud.until(lambda: status() == "in-use")
    disk = host.server(server_id).disks[0]
    assert (disk.volume_id, disk.target.portal) == (volume_id, "127.0.0.1:3260")
    assert api.delete(f"/volume/v3/volumes/{volume_id}").status_code == 400
    assert api.delete(f"{url}/{volume_id}").status_code == 202
    cloud.until(lambda: status() == "available")
    assert host.server(server_id).disks == ()
    assert "export" not in host.kinds()
    assert api.delete(f"/volume/v3/volumes/{volume_id}").status_code == 202
    cloud.until(lambda: "volume" not in host.kinds())


def test_deleting_a_server_frees_its_volumes(cloud: FakeCloud, api: Api, body: dict[str, Any]) -> None:
    host = cloud.add_host("one")
    body["server"]["block_device_mapping_v2"] = [
        {
            "boot_index": 0,
            "source_type": "image",
            "destination_type": "volume",
            "volume_size": 1,
            "uuid": body["server"].pop("imageRef"),
            "delete_on_termination": True,
        }
    ]
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    assert host.server(server_id).image is None
    assert host.server(server_id).disks[0].boot_index == 0
    assert api.delete(f"{SERVERS}/{server_id}").status_code == 204
    is_gone(cloud, api, server_id)
    cloud.until(lambda: not host.held)
    cloud.until(lambda: api.get("/volume/v3/volumes").json["volumes"] == [])


def test_interfaces_come_and_go(cloud: FakeCloud, api: Api, body: dict[str, Any], network: str) -> None:
    host = cloud.add_host("one")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    url = f"{SERVERS}/{server_id}/os-interface"
    made = api.post(url, {"interfaceAttachment": {"net_id": network}})
    assert made.status_code == 200, made.text
    port_id = made.json["interfaceAttachment"]["port_id"]
    cloud.until(lambda: len(host.server(server_id).interfaces) == 2)
    cloud.until(lambda: api.get(f"/network/v2.0/ports/{port_id}").json["port"]["status"] == "ACTIVE")
    assert api.delete(f"{url}/{port_id}").status_code == 202
    cloud.until(lambda: len(api.get(url).json["interfaceAttachments"]) == 1)
    cloud.until(lambda: Key("port", port_id) not in host.held)
    assert api.get(f"/network/v2.0/ports/{port_id}").status_code == 404


def test_the_history_has_the_request_id(cloud: FakeCloud, api: Api, body: dict[str, Any]) -> None:
    cloud.add_host("one")
    made = api.post(SERVERS, body)
    server_id, request_id = made.json["server"]["id"], made.headers["x-compute-request-id"]
    becomes(cloud, api, server_id, "ACTIVE")
    action = api.get(f"{SERVERS}/{server_id}/os-instance-actions/{request_id}").json["instanceAction"]
    assert action["action"] == "create"
    assert {e["event"] for e in action["events"]} == {"volumes", "place", "export", "spawn"}


def test_an_administrators_lock_is_no_matter_of_the_owner(
    cloud: FakeCloud, api: Api, body: dict[str, Any]
) -> None:
    cloud.add_host("one")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")

    def act(action: str, token: str) -> int:
        return int(api.post(f"{SERVERS}/{server_id}/action", {action: None}, token=token).status_code)

    for by, others in (("member", ("member@alpha", "admin@admin")), ("admin@admin", ("admin@admin",))):
        for unlocker in others:
            assert act("lock", by) == 202
            assert act("os-stop", "member") == 409
            assert act("unlock", unlocker) == 202
    assert act("lock", "admin@admin") == 202
    assert act("lock", "member") == 202, "as nova has it; it changes nothing"
    assert act("unlock", "member") == 403
    assert api.delete(f"{SERVERS}/{server_id}").status_code == 409
    assert act("unlock", "admin@admin") == 202
    assert api.delete(f"{SERVERS}/{server_id}").status_code == 204


def test_another_projects_server_is_not_there(cloud: FakeCloud, api: Api, body: dict[str, Any]) -> None:
    cloud.add_host("one")
    server_id = create(api, body)
    becomes(cloud, api, server_id, "ACTIVE")
    for method, path in (
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/os-interface"),
        ("GET", "/metadata"),
        ("GET", "/os-volume_attachments"),
        ("GET", "/ips"),
        ("GET", "/os-instance-actions"),
    ):
        answer = api.call(method, f"{SERVERS}/{server_id}{path}", token="member@beta")
        assert answer.status_code == 404, (method, path)
    for action in ({"os-stop": None}, {"reboot": {"type": "HARD"}}, {"os-getConsoleOutput": {}}):
        answer = api.post(f"{SERVERS}/{server_id}/action", action, token="member@beta")
        assert answer.status_code == 404
    assert api.get(SERVERS, token="member@beta").json["servers"] == []


def test_a_new_server_locks_and_counts_once(
    cloud: FakeCloud, api: Api, body: dict[str, Any], queries: Callable[[], Any]
) -> None:
    with queries() as seen:
        create(api, body)
    said = [s for s in seen if not s.startswith("BEGIN")]
    assert said[0].startswith("UPDATE projects"), "a lock is a write and comes first"
    assert len([s for s in said if s.startswith("UPDATE projects")]) == 1
    assert len([s for s in said if "FROM quota_limits" in s]) == 2, "of compute, and of network"


def test_lists_cost_the_same_queries_whatever_their_length(
    cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any], queries: Callable[[], Any]
) -> None:
    cloud.add_host("one", vcpus=64, ram_mib=65536)
    counts = []
    for number in (1, 4):
        for _ in range(number):
            becomes(cloud, api, create(api, body), "ACTIVE")
        cloud.until(lambda: nothing_is_under_way(db))
        cloud.upkeep.stop()
        with queries() as seen:
            assert api.get(f"{SERVERS}/detail").status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 8, counts


def test_quota_is_counted_from_rows(cloud: FakeCloud, api: Api, db: Database, body: dict[str, Any]) -> None:
    cloud.add_host("one", vcpus=64, ram_mib=65536)
    body["server"]["min_count"] = 11
    refused = api.post(SERVERS, body)
    assert refused.status_code == 403
    assert "Quota exceeded" in refused.json["forbidden"]["message"]
    with db.read() as session:
        assert session.scalar(select(func.count()).select_from(Server)) == 0
    assert api.get("/network/v2.0/ports?device_owner=compute:nova").json["ports"] == []


def test_too_many_ports_are_403_in_compute_and_leave_nothing(api: Api, body: dict[str, Any]) -> None:
    limit = {"quota": {"port": 0}}
    assert api.put(f"/network/v2.0/quotas/{'a' * 32}", limit, token="admin").status_code == 200
    refused = api.post(SERVERS, body)
    assert refused.status_code == 403
    assert refused.json["forbidden"]["message"].startswith("Maximum number of ports exceeded")
    assert api.get(SERVERS).json["servers"] == []


def test_a_tunnel_end_point_that_moves_is_told_to_the_others(
    cloud: FakeCloud, api: Api, body: dict[str, Any], network: str
) -> None:
    first, second = cloud.add_host("first"), cloud.add_host("second")
    for host in ("first", "second"):
        body["server"]["availability_zone"] = f"nova:{host}"
        made = api.post(SERVERS, body, token="admin@alpha")
        becomes(cloud, api, made.json["server"]["id"], "ACTIVE")
    second.tunnel_ip = "192.0.2.7"
    second.beat()

    def told() -> bool:
        segment = decode(first.held[Key("segment", network)])
        return isinstance(segment, Segment) and [e.address for e in segment.endpoints] == ["192.0.2.7"]

    cloud.until(told)
