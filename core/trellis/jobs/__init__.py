"""Background work: jobs are kept in the transaction that causes them, and worked through by threads of any process."""

from trellis.jobs.job import Job
from trellis.jobs.queue import ask_to_stop, enqueue, retry
from trellis.jobs.runner import Runner
from trellis.jobs.work import JobInterrupted, JobKind, Kinds, Work

__all__ = ["Job", "JobInterrupted", "JobKind", "Kinds", "Runner", "Work", "ask_to_stop", "enqueue", "retry"]
