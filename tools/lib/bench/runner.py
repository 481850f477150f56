"""Run one command and write what it used as JSON. Started as `python -I -S runner.py REPORT COMMAND ...`.

A process of its own, and a small one: the kernel counts the memory of whoever starts a program into the largest
memory of that program.
"""

import os
import sys
import time


def main(report, command):
    """CPU seconds of the command with all it waited for, the largest resident set in KiB, wall seconds, status."""
    started = time.monotonic()
    child = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(child, 0)
    wall = time.monotonic() - started
    own = _resident()
    with open(report, "w") as file:
        file.write(
            '{"cpu": %.6f, "user": %.6f, "system": %.6f, "largest_kib": %d, "floor_kib": %d, '
            '"wall": %.6f, "status": %d}'
            % (
                used.ru_utime + used.ru_stime,
                used.ru_utime,
                used.ru_stime,
                used.ru_maxrss,
                own,
                wall,
                os.waitstatus_to_exitcode(status),
            )
        )


def _resident():
    with open("/proc/self/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
