"""A router's interpreter under qemu-user, with the memory of a small router: 64 MB."""

from tools.lib import foreign, needs
from tools.lib.build import micropython

MEMORY = 64  # megabytes
_BUFFER = 128  # megabytes that QEMU itself takes for translated code
# processor -> (QEMU's name of it, more words). QEMU 7.2 can bound the address space of its MIPS, not of its ARM.
QEMU = {"armhf": ("arm", ""), "mips": ("mips", "-R %dM" % MEMORY)}


def emulated(processor):
    """Path of a program that takes the interpreter's words and runs it on `processor`, one of micropython.CROSS."""
    needs.install("build micropython-%s --emulated" % processor)
    interpreter = micropython.interpreter(processor=processor)
    name, words = QEMU[processor]
    script = interpreter.parent / "emulated"
    text = '#!/bin/sh\nulimit -d %d\nexec %s %s "%s" "$@"\n' % (
        (MEMORY + _BUFFER) * 1024,
        foreign.program(name),
        words,
        interpreter,
    )
    if not script.exists() or script.read_text() != text:
        fresh = script.with_name("emulated.new")
        fresh.write_text(text)
        fresh.chmod(0o755)
        fresh.replace(script)
    return script
