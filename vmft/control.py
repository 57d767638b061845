"""What administrators do to a machine: orders given at the primary, control entries in the log.

They are logged like everything else that happens to the machine, so the backup does the same at
the same instruction [paper 3.3]: a machine that is switched off leaves no backup behind that
would go live, and a share of the processor holds on both sides.
"""

from __future__ import annotations

import struct

POWER_OFF = "power-off"
FAILOVER = "failover"       # hand over to the backup, on purpose
SHARE = "share"             # percent of the processor
QUIESCE = "quiesce"         # no disk operation is on its way: a backup may be moved
MOVE_PRIMARY = "move-primary"       # to host n; not logged, the machine does not notice
MOVE_BACKUP = "move-backup"
ORDERS = (POWER_OFF, FAILOVER, SHARE, QUIESCE)

SHARE_PERCENT = (5, 100)    # least, most

DATA = struct.Struct("<BQ")


def encode(order: str, value: int = 0) -> bytes:
    """A control entry's data."""
    return DATA.pack(ORDERS.index(order), value)


def decode(data: bytes) -> tuple[str, int]:
    """The order, and its value."""
    number, value = DATA.unpack(data)
    return ORDERS[number], value
