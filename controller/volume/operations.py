"""All operations of this service, for the runner."""

from controller.operations.step import Definition
from controller.volume.attachments import release
from controller.volume.volumes.operations import create, delete, extend

DEFINITIONS: list[Definition] = [create.DEFINITION, delete.DEFINITION, extend.DEFINITION, release.DEFINITION]
