"""Live: the lights as the screens see them now, a topic of columns (core.live).

Responsible for the live picture of the api process. Never writes anything; what it shows is what
ingest committed and control wants.
"""

from vigie.twin.live.delta import encode as encode_delta
from vigie.twin.live.delta import subject
from vigie.twin.live.service import services

__all__ = ["encode_delta", "services", "subject"]
