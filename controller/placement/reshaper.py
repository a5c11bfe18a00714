"""POST /reshaper: inventories and allocations changed together, for moving them between providers."""

import falcon
from sqlalchemy.orm import Session

from controller.placement import consumers, inventories, providers
from controller.placement.endpoint import Endpoint, as_uuid, checked_body
from controller.placement.versions import RESHAPER
from controller.web.resource import no_content, version_of
from controller.web.schema import Schema
from controller.web.versions import Version


def _schema(version: Version) -> Schema:
    return {
        "type": "object",
        "properties": {
            "inventories": {
                "type": "object",
                "patternProperties": {"^[0-9a-fA-F-]{36}$": inventories.ALL},
                "additionalProperties": False,
            },
            "allocations": {**consumers.many_schema(version), "minProperties": 0},
        },
        "required": ["inventories", "allocations"],
        "additionalProperties": False,
    }


_CHECK = consumers.compiled(_schema)


class ReshaperApi(Endpoint):
    """/reshaper"""

    SINCE = RESHAPER

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Allocations are taken away first, so that no inventory is in use while it changes."""
        self.allow(req, "placement:reshaper:reshape")
        version = version_of(req)
        body = checked_body(req, _CHECK(version))
        wanted = [consumers.read_wanted(who, one) for who, one in body["allocations"].items()]
        given = {as_uuid(text, "resource provider"): one for text, one in body["inventories"].items()}

        def verb(session: Session) -> None:
            changed = [
                (providers.lock_at(session, uuid, given[uuid]["resource_provider_generation"]), given[uuid])
                for uuid in sorted(given)
            ]
            consumers.take(session, wanted)
            for provider, one in changed:
                inventories.put_all(session, provider, one["inventories"], version)
            consumers.replace(session, wanted)

        self.db.write(verb)
        no_content(resp)
