"""What the room offers to the others: verbs, and files as objects that links may point to."""

from vigie.core.objects import ObjectType
from vigie.core.verbs import Verb
from vigie.files import service
from vigie.files.model import OBJECT, AttachFile, Attachment, DetachFile

VERBS = (
    Verb(
        "files.attach",
        AttachFile,
        Attachment,
        permission="files.attach",
        summary="Attach an uploaded file to an object.",
        run=service.attach,
    ),
    Verb(
        "files.detach",
        DetachFile,
        None,
        permission="files.attach",
        summary="Take a file away from an object.",
        run=service.detach,
    ),
)
OBJECTS = (ObjectType(OBJECT, "files.read", service.file_titles, "/files/{id}"),)
