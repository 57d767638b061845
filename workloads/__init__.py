"""What clients do, and what it should mean: one file a workload, complete in itself."""

from workloads.counter import COUNTER
from workloads.kv import KV
from workloads.token import TOKEN
from workloads.workload import Client, Completion, Invocation, Workload, invoke

WORKLOADS = {workload.name: workload for workload in (COUNTER, KV, TOKEN)}

__all__ = ["Client", "Completion", "Invocation", "WORKLOADS", "Workload", "invoke"]
