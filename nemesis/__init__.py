"""What goes wrong, as data: one fault family a file, and how families combine."""

from nemesis.channel import CHANNEL
from nemesis.clock import CLOCK
from nemesis.crash import CRASH
from nemesis.crash_both import CRASH_BOTH
from nemesis.crowded import CROWDED
from nemesis.delay import DELAY
from nemesis.disk import DISK
from nemesis.disk_cut import DISK_CUT
from nemesis.disk_errors import DISK_ERRORS
from nemesis.flapping import FLAPPING
from nemesis.halves import HALVES
from nemesis.host_loss import HOST_LOSS
from nemesis.log_loss import LOG_LOSS
from nemesis.nemesis import Cluster, Fault, Kind, Later, Nemesis
from nemesis.orders import FAILOVER, MOVE, POWER_OFF, SHARE
from nemesis.parameters import problem
from nemesis.partition import PARTITION
from nemesis.pause import PAUSE
from nemesis.schedule import Planned, apply, heal, schedule
from nemesis.services import SERVICES
from nemesis.slow import SLOW
from nemesis.swarm import SWARM, compose
from nemesis.targeted import TARGETED

NEMESES = {family.name: family for family in (
    CRASH, PARTITION, LOG_LOSS, DELAY, SLOW, FAILOVER, SHARE, MOVE, POWER_OFF, DISK_ERRORS, PAUSE,
    SERVICES, HOST_LOSS, CRASH_BOTH, HALVES, FLAPPING, DISK_CUT, CHANNEL, TARGETED, DISK,
    CLOCK, CROWDED)}

__all__ = ["Cluster", "Fault", "Kind", "Later", "NEMESES", "Nemesis", "Planned", "SWARM", "apply",
           "compose", "heal", "problem", "schedule"]
