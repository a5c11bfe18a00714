"""What the services want done now and then by the API; engine_assembly.py has what engines do."""

from controller.identity.tokens import revoke
from controller.image import options as image_options
from controller.image.images import delete as images
from controller.image.images.store import ImageStore
from controller.image.images.upload import Place
from controller.main.images import is_image_in_use
from controller.main.process import Process
from runtime.chores import Chore


def of_api(process: Process) -> list[Chore]:
    """The chores of each process of the API: images are tidied where their files are."""
    image_options.register(process.conf)
    place = Place(process.db, ImageStore(image_options.store_path(process.conf)))
    return [
        Chore("images whose writer died", 600, lambda: images.tidy(place)),
        Chore("deleted images that nobody needs", 600, lambda: images.purge(place, is_image_in_use)),
        Chore("revocations of ended tokens", 3600, lambda: process.db.write(revoke.forget_ended)),
    ]
