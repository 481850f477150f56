# Frozen; runs first at every boot: puts the flash's file system at /.
import mps2
import vfs

_flash = mps2.Flash()


def _mount():
    # 256-byte reads and programs: what SPI NOR does in one command.
    vfs.mount(vfs.VfsLfs2(_flash, readsize=256, progsize=256, lookahead=32), "/")


try:
    _mount()
except OSError:
    # Only a flash that has never held a file may be formatted: power can go during the first format, which touches
    # blocks 0 and 1. Anything else is damage, and what is there is the owner's to save or erase.
    if _flash.blank(2):
        vfs.VfsLfs2.mkfs(_flash, readsize=256, progsize=256, lookahead=32)
        _mount()
    else:
        print("The file system cannot be read; nothing was changed. Erase the flash to start afresh.")
