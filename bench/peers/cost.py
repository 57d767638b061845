"""What a whole process costs: `python -S cost.py LIMIT_S COMMAND...` runs it and prints, after what
it printed, the processor time that it took, in nanoseconds, and its peak of memory in KiB.

A process of its own, because a child's peak counts what its parent held when it was forked: so no
peak is below that of a bare Python.  A command that outlives the limit is killed, and says nothing.
"""

import os
import subprocess
import sys
import threading


def main(limit_s: float, command: list[str]) -> None:
    """Run, wait, tell."""
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    alarm = threading.Timer(limit_s, child.kill)
    alarm.start()
    assert child.stdout is not None
    told = child.stdout.read()
    _pid, _status, used = os.wait4(child.pid, 0)
    alarm.cancel()
    print(told.strip(), round((used.ru_utime + used.ru_stime) * 1e9), used.ru_maxrss)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:])
