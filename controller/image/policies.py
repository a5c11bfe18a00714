"""Who may do what with images. That an image is the caller's own is settled by its look-up."""

from oslo_policy import policy

from controller.web.policy import ADMIN, MEMBER, READER, rule

RULES: list[policy.RuleDefault] = [
    rule("image:images:list", READER, "List the images that the caller may see."),
    rule("image:images:show", READER, "Show an image that the caller may see."),
    rule("image:images:create", MEMBER, "Create an image."),
    rule("image:images:update", MEMBER, "Change an own image."),
    rule("image:images:delete", MEMBER, "Delete an own image."),
    rule("image:images:upload", MEMBER, "Give an own image its data."),
    rule("image:images:download", MEMBER, "Read the data of an image."),
    rule("image:images:deactivate", MEMBER, "Stop an own image from being read."),
    rule("image:images:reactivate", MEMBER, "Let an own image be read again."),
    rule("image:images:import", MEMBER, "Import staged data into an own image."),
    rule("image:images:publicize", ADMIN, "Make an image public."),
    rule("image:images:communitize", MEMBER, "Make an image a community image."),
    rule("image:members:list", READER, "List whom an image is shared with."),
    rule("image:members:show", READER, "Show with whom an image is shared."),
    rule("image:members:create", MEMBER, "Share an own image."),
    rule("image:members:update", MEMBER, "Accept or reject an image of another project."),
    rule("image:members:delete", MEMBER, "End the sharing of an own image."),
    rule("image:tags:update", MEMBER, "Tag an own image."),
    rule("image:tags:delete", MEMBER, "Take a tag off an own image."),
    rule("image:schemas:show", READER, "Show the schemas of images and members."),
    rule("image:info:show", READER, "Show what the image service can do."),
]
