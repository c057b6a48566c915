"""The ground floor's own jobs."""

from datetime import time

from vigie.core.jobs.model import Job
from vigie.core.jobs.runner import prune

JOBS = (Job("core.prune_jobs", prune, inside=True, daily=time(3, 40), concurrency=1),)
