"""Microversions of the volume service, and what came with those that change something here.

3.2 strict boolean filters         3.12 summary               3.13 group_id
3.15 ETags of metadata             3.21 provider_id           3.23 delete with force
3.27 attachments                   3.31 unknown filters are refused
3.34 "name~" filters               3.36 metadata in the summary
3.39 limits of other projects      3.44 attachments are completed
3.45 counts with lists             3.48 shared_targets, service_uuid
3.53 strict bodies                 3.54 mode of an attachment  3.60 filters by time
3.61 cluster_name                  3.63 volume_type_id         3.65 consumes_quota
3.67 no project id in URLs         3.69 shared_targets may be null
"""

from controller.web.errors import NotFound
from controller.web.versions import Microversions, Version

MICROVERSIONS = Microversions("volume", Version(3, 0), Version(3, 71), aliases=("block-storage",))


def v(text: str) -> Version:
    """A microversion."""
    return Version.parse(text)


def require(version: Version, since: str) -> None:
    """Raises NotFound for a request in which the URL does not exist yet."""
    if version < v(since):
        raise NotFound("The resource could not be found.")
