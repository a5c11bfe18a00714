"""Every URL of the image service, and the one for hosts."""

from controller.image.discovery import ImportInfoApi, SchemasApi, StoresInfoApi, VersionsApi
from controller.image.images.api import ActionApi, ImageApi, ImagesApi, ImageTasksApi, ImportApi
from controller.image.images.data_api import FileApi, StageApi
from controller.image.images.members import MemberApi, MembersApi
from controller.image.images.tags import TagApi
from controller.image.internal import HostImageApi
from controller.web.app import Service
from controller.web.errors import glance_envelope
from controller.web.resource import Route

ROUTES: list[Route] = [
    ("/", VersionsApi),
    ("/versions", VersionsApi),
    ("/v2", VersionsApi),
    ("/v2/images", ImagesApi),
    ("/v2/images/{image_id}", ImageApi),
    ("/v2/images/{image_id}/file", FileApi),
    ("/v2/images/{image_id}/stage", StageApi),
    ("/v2/images/{image_id}/import", ImportApi),
    ("/v2/images/{image_id}/tasks", ImageTasksApi),
    ("/v2/images/{image_id}/actions/{action}", ActionApi),
    ("/v2/images/{image_id}/tags/{tag}", TagApi),
    ("/v2/images/{image_id}/members", MembersApi),
    ("/v2/images/{image_id}/members/{member_id}", MemberApi),
    ("/v2/schemas/{name}", SchemasApi),
    ("/v2/info/import", ImportInfoApi),
    ("/v2/info/stores", StoresInfoApi),
]

SERVICE = Service(
    name="image",
    prefix="/image",
    routes=ROUTES,
    envelope=glance_envelope,
    public=frozenset({"", "/", "/versions", "/v2"}),
    is_exact=True,
)

INTERNAL_ROUTES: list[Route] = [("/images/{image_id}", HostImageApi)]

#: For hosts: no token is asked for, the request itself is signed.
INTERNAL_SERVICE = Service(
    name="internal",
    prefix="/internal",
    routes=INTERNAL_ROUTES,
    envelope=glance_envelope,
    is_public=True,
)
