"""The record of a run: operations, histories, traces, their file formats and the run store."""

from histories.errors import UsageError
from histories.history import UNKNOWN, Call, History
from histories.op import NEMESIS, TYPES, Op
from histories.trace import Event, Trace

__all__ = ["NEMESIS", "TYPES", "UNKNOWN", "Call", "Event", "History", "Op", "Trace", "UsageError"]
