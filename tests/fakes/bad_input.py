"""What a hostile client sends: bodies, values, ids and queries for every route that the services have.

Bodies start from one that is right (SAMPLES, or what the resource's table of fields says); each value in
it is then replaced by each of VALUES.
"""

import copy
import functools
import gc
import re
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from controller.web.app import Service
from controller.web.fields import Fields
from controller.web.resource import Cloud

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
UNKNOWN = str(uuid.UUID(int=7))

#: In place of any value of a body.
VALUES: list[Any] = [
    None,
    True,
    -1,
    1 << 40,
    1 << 70,
    1.5,
    "",
    " ",
    "-1",
    "99999999999999999999999",
    "x" * 10_000,
    "a\nb",
    "a\x00b",
    "\u202egnp.exe\u2066",
    "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>",
    "'; DROP TABLE servers; --",
    "$(reboot)`id`;|&",
    "%(x)s{0.__class__}",
    "\U0001f600",
    "::/0",
    UNKNOWN,
    [],
    [None],
    ["x", "x"],
    [[[]]],
    {},
    {"__class__": {"x": 1}},
    {"a\nb": "c" * 300},
]
#: Whole bodies as bytes: each is a 400 (or the route's 404, 403).
RAW: list[bytes] = [
    b"",
    b"{",
    b"\xff\xfe",
    b'{"a": NaN}',
    b"[" * 5000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"null",
    b"5",
    b'"x"',
    b"[]",
    b"[{}]",
    b"{}",
    b'{"server": null, "network": [], "volume": 5, "auth": "x"}',
    b'{"x": "\\ud800"}',
    b'{"\\udfff": 1}',
]
#: In place of an id in a path; percent-encoded as a client would.
PATH_TEXTS = (
    UNKNOWN,
    "0",
    "-1",
    "99999999999999999999999",
    "%00",
    "a%0Ab",
    "%E2%80%AE",
    "%FF",
    "..",
    "%2e%2e%2fetc",
    "x" * 300,
    "'%20OR%201=1--",
    "%F0%9F%98%80",
)
QUERIES = (
    "limit=-1",
    "limit=0",
    "limit=1000000000",
    "limit=99999999999999999999999",
    "limit=x&limit=y",
    "limit=%C2%B2",
    f"marker={UNKNOWN}",
    "marker=%00",
    "marker=&marker=x",
    "sort_key=__class__",
    "sort_key=metadata&sort_dir=asc",
    "sort=__class__:asc",
    "sort_dir=sideways",
    "sort=id:sideways,name",
    "sort_keys=x&sort_dirs=y",
    "fields=__class__&fields=",
    "offset=-1",
    "offset=99999999999999999999999",
    "offset=x",
    "id=%FF&id=%00",
    "name=%27%20OR%201%3D1--&name=%25",
    "name[]=x&%00=%00&=",
    "status=x&status=y&project_id=z&all_tenants=maybe",
    "changes-since=yesterday&changes-before=%00",
    "created_at=gt:x&updated_at=zz:2020",
    "in_tree=x&resources=VCPU:-1&required=!&member_of=x",
    "resources=VCPU:99999999999999999999999",
    "resources=&required=&group_policy=x&resources1=",
    "tags=,&not-tags=%00&tags-any=%FF",
    "fixed_ips=x%3D&ip_version=z&port_range_min=x",
    "enabled=maybe&password_expires_at=lt:never",
    "page_reverse=maybe&minDisk=x&minRam=-1&is_public=z",
    "user_id=" + "9" * 400,
    "detailed=x&usage=x&metadata=%7B&bootable=z&size=1e9&glance_metadata=x",
    "min_ram=x&size_min=-1&size_max=99999999999999999999999&protected=z&visibility=z&owner=%00",
    "include_names=z&effective&scope.project.id=&user.id=%00&role.id=x&include_subtree=x",
    "%ff%fe=%ff&a=b;c&&&=",
)

_GROUP = {"name": "g", "description": "d"}
_BLOB = {"blob": "{}", "type": "cert", "user_id": UNKNOWN, "project_id": UNKNOWN}
_PLACED = {UNKNOWN: {"resources": {"VCPU": 1}}}
_CONSUMER = {
    "allocations": _PLACED,
    "project_id": "p",
    "user_id": "u",
    "consumer_generation": None,
    "consumer_type": "X",
    "mappings": {"": [UNKNOWN]},
}
_STOCK = {
    "total": 1,
    "reserved": 0,
    "min_unit": 1,
    "max_unit": 1,
    "step_size": 1,
    "allocation_ratio": 1.0,
}
_METHODS = {
    "methods": ["password", "token", "application_credential"],
    "password": {"user": {"name": "n", "id": UNKNOWN, "password": "p", "domain": {"id": "d", "name": "n"}}},
    "token": {"id": "gAAAAx"},
    "application_credential": {"id": UNKNOWN, "name": "n", "secret": "s", "user": {"id": UNKNOWN}},
}
#: Bodies that are (nearly) right, by method and end of path; the first that fits counts.
SAMPLES: tuple[tuple[str, str, Any], ...] = (
    (
        "POST",
        r"/auth/tokens$",
        {"auth": {"identity": _METHODS, "scope": {"project": {"id": "x", "domain": {"id": "y"}}}}},
    ),
    ("POST", r"/password$", {"user": {"password": "p", "original_password": "o"}}),
    ("PUT", r"/projects/[^/]+/tags$", {"tags": ["a"]}),
    ("POST", r"/credentials$", {"credential": _BLOB}),
    ("PATCH", r"/v2/images/[^/]+$", [{"op": "replace", "path": "/name", "value": "x"}]),
    ("POST", r"/images/[^/]+/import$", {"method": {"name": "web-download", "uri": "http://127.0.0.1/x"}}),
    ("POST", r"/members$", {"member": UNKNOWN}),
    ("PUT", r"/members/[^/]+$", {"status": "accepted"}),
    ("POST", r"/resource_classes$", {"name": "CUSTOM_A"}),
    ("PUT", r"/resource_providers/[^/]+$", {"name": "p", "parent_provider_uuid": UNKNOWN}),
    ("POST", r"/resource_providers$", {"name": "p", "uuid": UNKNOWN, "parent_provider_uuid": UNKNOWN}),
    ("POST", r"/inventories$", {"resource_class": "VCPU", **_STOCK}),
    (
        "PUT",
        r"/inventories$",
        {"resource_provider_generation": 0, "inventories": {"VCPU": _STOCK}},
    ),
    ("PUT", r"/inventories/[^/]+$", {"resource_provider_generation": 0, **_STOCK}),
    ("PUT", r"/aggregates$", {"resource_provider_generation": 0, "aggregates": [UNKNOWN]}),
    ("PUT", r"/traits$", {"resource_provider_generation": 0, "traits": ["CUSTOM_A"]}),
    ("PUT", r"/allocations/[^/]+$", _CONSUMER),
    ("POST", r"/allocations$", {UNKNOWN: _CONSUMER}),
    (
        "POST",
        r"/reshaper$",
        {
            "inventories": {UNKNOWN: {"resource_provider_generation": 0, "inventories": {"VCPU": _STOCK}}},
            "allocations": {UNKNOWN: _CONSUMER},
        },
    ),
    ("PUT", r"/v2.0/.*/tags$", {"tags": ["a"]}),
    ("POST", r"/v2.0/.*/tags$", {"tags": ["a"]}),
    ("PUT", r"/v2.0/quotas/[^/]+$", {"quota": {"network": 5, "port": -1}}),
    ("PUT", r"/agents/[^/]+$", {"agent": {"admin_state_up": False, "description": "d"}}),
    (
        "POST",
        r"/volumes/[^/]+/action$",
        [
            {"os-extend": {"new_size": 2}},
            {"os-reserve": {}},
            {"os-attach": {"instance_uuid": UNKNOWN, "mountpoint": "/dev/vdb", "mode": "rw"}},
            {"os-reset_status": {"status": "error", "attach_status": "detached"}},
            {"os-set_bootable": {"bootable": True}},
            {"os-update_readonly_flag": {"readonly": True}},
            {"os-volume_upload_image": {"image_name": "i", "disk_format": "raw"}},
            {"os-retype": {"new_type": "x", "migration_policy": "never"}},
            {"os-set_image_metadata": {"metadata": {"a": "b"}}},
            {"os-initialize_connection": {"connector": {"host": "h", "initiator": "i"}}},
            {"os-force_delete": {}},
        ],
    ),
    ("PUT", r"/metadata/[^/]+$", {"meta": {"k": "w"}}),
    ("(POST|PUT)", r"/metadata$", {"metadata": {"k": "w"}}),
    ("PUT", r"/attachments/[^/]+$", {"attachment": {"connector": {"host": "h", "initiator": "i"}}}),
    ("POST", r"/attachments/[^/]+/action$", {"os-complete": {}}),
    (
        "POST",
        r"/types/[^/]+/action$",
        [{"addProjectAccess": {"project": "p"}}, {"removeProjectAccess": {"project": "p"}}],
    ),
    ("POST", r"/types/[^/]+/extra_specs$", {"extra_specs": {"k": "v"}}),
    ("PUT", r"/types/[^/]+/extra_specs/[^/]+$", {"k": "v"}),
    ("PUT", r"/os-services/[^/]+$", {"binary": "b", "host": "h", "disabled_reason": "r", "status": "x"}),
    ("PUT", r"/volume/.*/os-quota-sets/[^/]+$", {"quota_set": {"volumes": 5, "gigabytes": -1}}),
    ("PUT", r"/volume/.*/os-quota-class-sets/[^/]+$", {"quota_class_set": {"volumes": 5}}),
    ("PUT", r"/os-quota-class-sets/[^/]+$", {"quota_class_set": {"cores": 5}}),
    ("PUT", r"/os-quota-sets/[^/]+$", {"quota_set": {"cores": 5, "ram": -1, "force": True}}),
    ("POST", r"/os-extra_specs$", {"extra_specs": {"hw:x": "v"}}),
    ("PUT", r"/os-extra_specs/[^/]+$", {"k": "v"}),
    (
        "POST",
        r"/servers/[^/]+/action$",
        [
            {"reboot": {"type": "HARD"}},
            {"os-getConsoleOutput": {"length": 5}},
            {"lock": {"locked_reason": "r"}},
            {"addSecurityGroup": {"name": "default"}},
            {"os-stop": None},
            {"rebuild": {"imageRef": UNKNOWN, "name": "x", "metadata": {"a": "b"}}},
            {"resize": {"flavorRef": UNKNOWN}},
            {"createImage": {"name": "i", "metadata": {"a": "b"}}},
            {"os-resetState": {"state": "error"}},
            {"os-migrateLive": {"host": "h", "block_migration": "auto"}},
            {"rescue": {"adminPass": "x", "rescue_image_ref": UNKNOWN}},
            {"remote_consoles": {"protocol": "vnc", "type": "novnc"}},
        ],
    ),
)


@dataclass(frozen=True)
class Call:
    """A method of a route. ``path`` has its parameters still in braces; it includes the prefix."""

    service: Service
    method: str
    path: str
    is_there: bool

    @property
    def is_public(self) -> bool:
        """Whether no token is asked for."""
        inner = self.path.removeprefix(self.service.prefix)
        return (
            self.service.is_public
            or inner in self.service.public
            or inner.rstrip("/") in {p.rstrip("/") for p in self.service.public}
        )

    @property
    def parameters(self) -> list[str]:
        """Names in braces."""
        return re.findall(r"\{(\w+)[^}]*\}", self.path)

    def filled(self, ids: Mapping[str, str], default: str = UNKNOWN) -> str:
        """The path with ids: of the kind that the segment before says, else ``default``."""

        def one(match: re.Match[str]) -> str:
            kind = match[1]
            return f"{kind}/{ids.get(kind, default)}"

        path = self.path.replace("/v3/{project_id}/", f"/v3/{ids.get('projects', default)}/")
        return re.sub(r"([\w.-]+)/\{\w+[^}]*\}", one, path)


def calls(cloud: Cloud, service: Service) -> Iterator[Call]:
    """Every method of every route of a service, also those that a route has not."""
    for path, make, *suffix in service.routes:
        resource = make(cloud)
        end = f"_{suffix[0]}" if suffix else ""
        for method in METHODS:
            responder = getattr(resource, f"on_{method.lower()}{end}", None)
            is_there = responder is not None and responder.__name__ != "_nothing"
            yield Call(service, method, service.prefix + path, is_there)


def samples(call: Call) -> list[Any]:
    """Bodies that are nearly right for a call."""
    path = re.sub(r"\{\w+[^}]*\}", "x", call.path)
    for method, end, sample in SAMPLES:
        if re.fullmatch(method, call.method) and re.search(end, path):
            is_several = isinstance(sample, list) and not isinstance(sample[0].get("op"), str)
            return sample if is_several else [sample]
    return _from_fields(call)


def changed(sample: Any) -> Iterator[Any]:
    """The sample with each of its values replaced by every other of VALUES, and once left out.

    Neighbours get the other half: between them every schema of a kind meets every value.
    """
    for number, pointer in enumerate(pointers(sample)):
        for value in (*VALUES[number % 2 :: 2], _GONE):
            yield with_value(sample, pointer, value)


_GONE = object()


def _from_fields(call: Call) -> list[Any]:
    words = [w for w in call.path.split("/") if w and "{" not in w]
    if not words:
        return [{}]
    plural = words[-1].removeprefix("os-").replace("-", "_")
    tables = [t for t in _tables() if t.plural.lower() in (plural, plural.replace("types", "volume_types"))]
    verb = "create" if call.method == "POST" else "update"
    singular = {t.singular for t in tables} or {plural.rstrip("s")}
    inner = {f.name: f.name for t in tables for f in t.fields if getattr(f, verb)}
    return [{one: inner} for one in sorted(singular)] + ([inner] if "images" in plural else [])


@functools.cache
def _tables() -> list[Fields]:
    """Those of the services, which are imported by now. To look through all objects takes 0.1 s and more."""
    return [found for found in gc.get_objects() if type(found) is Fields]


def pointers(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from pointers(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from pointers(inner, (*at, index))


def with_value(sample: Any, pointer: tuple[Any, ...], value: Any) -> Any:
    made = copy.deepcopy(sample)
    inner = made
    for step in pointer[:-1]:
        inner = inner[step]
    if value is _GONE:
        del inner[pointer[-1]]
    else:
        inner[pointer[-1]] = copy.deepcopy(value)
    return made
