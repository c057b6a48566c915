"""Photos, documents and PDF: kept once by content, checked, attached to objects of other rooms.

A room attaches by the verbs `files.attach` and `files.detach` (core/verbs); a file is seen by who
may see an object that it is attached to. `pdf.render` sets a document in the house's style.
Never: know what an object is, or keep a photo's metadata outside sealed evidence.
"""

from vigie.files import pdf
from vigie.files.keeping import keep_document
from vigie.files.model import AttachFile, Attachment, DetachFile, FileView
from vigie.files.pdf import Heading, Template
from vigie.files.service import attached_to

__all__ = [
    "AttachFile",
    "Attachment",
    "DetachFile",
    "FileView",
    "Heading",
    "Template",
    "attached_to",
    "keep_document",
    "pdf",
]
