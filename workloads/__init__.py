"""What clients do, and what it should mean: one file a workload, complete in itself."""

from workloads.clock import CLOCK
from workloads.counter import COUNTER
from workloads.echo import ECHO_STREAMS
from workloads.idle import IDLE
from workloads.kv import KV
from workloads.lease import LEASE
from workloads.load import LOAD
from workloads.selfmod import SELFMOD
from workloads.spin import SPIN
from workloads.token import TOKEN
from workloads.workload import Client, Completion, Invocation, Workload, invoke

WORKLOADS = {workload.name: workload for workload in (
    CLOCK, COUNTER, ECHO_STREAMS, IDLE, KV, LEASE, LOAD, SELFMOD, SPIN, TOKEN)}

__all__ = ["Client", "Completion", "Invocation", "WORKLOADS", "Workload", "invoke"]
