"""What is durable: the journal, and the key and chain files that it refers to.

What holds. A file is written before the journal refers to it, and erased after the journal has let go of it. So whatever
moment the power goes, the journal that is read at the next start refers to files that are there. Files are never written
again under the same name: each has a number of its own (`new_file_id`), from one count for the whole device.

`changed` says that the journal in memory is ahead of the one on the medium. The scheduler writes it before anything else
that touches the outside, which is why nobody who changes a record has to think of it but by setting `changed`. A machine
that is about to send something writes it at a place of its own choosing instead (the SAVE states of `order.states`).

What must never happen: state of another device, older state than this device wrote, or state of another CA's account that
is used as if it were ours. `open` looks for the first two; `belongs_to` for the third.
"""

from . import journal, keys
from .errors import LocalError


class File:
    """A file that is to be written before the journal refers to it."""

    def __init__(self, name, data, size):
        self.name = name
        self.data = data
        self.size = size


class Storage:
    """The journal (`journal.Journal`) and what is still to be written and erased on the port's medium.

    `port` has read(name), names(), device_id(), sha256 and entropy; `counter`, where it has one, is a monotonic counter:
    read() -> int and raise_to(n), which never goes back. `size`: bytes of a journal slot.
    """

    def __init__(self, port, size):
        self.read = port.read
        self.sha256 = port.sha256
        self.journal = journal.Journal(keys.Ring(), port.sha256)
        self.changed = False
        self.heard_at = 0  # when the CA last answered, by the clock that its TLS certificate was checked with
        self._slots = journal.Slots(self.journal, size)
        self._counter = getattr(port, "counter", None)
        self._to_write = []
        self._to_erase = []

    def open(self, port):
        """Read the journal; False where there is none yet. Raises LocalError for state that must not be used."""
        state = self.journal
        device_id = port.device_id()
        found = self._slots.load(self.read)
        if not found:
            if device_id is None:
                port.entropy.fill(state.device_id)
            else:
                state.device_id[:] = device_id
            self.changed = True
        elif device_id is not None and state.device_id != device_id:
            raise LocalError(
                "cloned",
                "This state belongs to another device (its number is %s) and was copied here. It is not used: run a factory "
                "reset to start afresh." % state.device_id.hex(),
            )
        if self._counter is not None:
            self._refuse_old(found)
        return found

    def _refuse_old(self, found):
        # The journal's sequence number against the counter, which is raised behind each write.
        least = self._counter.read()
        if not found:
            self.journal.sequence = least
        elif self.journal.sequence + 1 < least:
            # One behind is the other slot, which serves when the newest is damaged.
            raise LocalError(
                "rolled-back",
                "The state here is older than what this device wrote last: somebody put it back. Put back the newest one, "
                "or run 'ipcert reset' to start afresh.",
            )

    def belongs_to(self, ca_hash):
        """True when the state is of this CA (`limits.HASH` bytes of its directory URL's hash); notes it otherwise."""
        state = self.journal
        if state.ca_hash == ca_hash:
            return True
        state.ca_hash[:] = ca_hash
        self.changed = True
        return False

    def new_file_id(self):
        """The next number for a file. It is never given twice, also where the file came to nothing."""
        self.journal.last_file_id += 1
        return self.journal.last_file_id

    def write_later(self, name, data, size):
        """Have a file written before the next journal, which may refer to it."""
        self._to_write.append(File(name, data, size))

    def erase_later(self, name):
        """Have a file erased, after the journal that does not refer to it any more."""
        self._to_erase.append(name)

    def retire_key(self, name, key_hash):
        """A key is out of use: its file is erased, and its hash remembered so that it is never used again."""
        self.journal.ring.add(key_hash, 0)
        self._to_erase.append(name)

    def write_file(self, action):
        """Fill the action with the next file that waits; False where none does."""
        if not self._to_write:
            return False
        # Forgotten before it is written: a port that cannot write stops the device, and a restart asks again.
        file = self._to_write.pop(0)
        action.write(file.name, file.data, file.size)
        return True

    def erase_file(self, action):
        """Fill the action with the next file to erase; False where there is none."""
        if not self._to_erase:
            return False
        action.erase(self._to_erase.pop(0))
        return True

    def write_journal(self, action):
        """Fill the action with the journal's next slot."""
        # A time at which the CA's TLS certificate held: a clock that was once years ahead must not stop us for years.
        self.journal.clock_floor = max(self.journal.clock_floor, self.heard_at)
        self.changed = False  # before it is on the medium: nothing else happens until it is
        size = self._slots.encode()
        action.write(self._slots.name, self._slots.data, size)

    def written(self, name):
        """A WRITE was carried out."""
        if self._counter is not None and name in journal.Slots.NAMES:
            self._counter.raise_to(self.journal.sequence)

    def collect(self, names):
        """Have every file erased that nothing refers to: of retired keys, or left by a power cut. `names`: all there are."""
        # A power cut may leave a file whose journal was never written, or one whose erasing was still to come.
        state = self.journal
        used = [
            "account-%d" % number
            for number in (state.account_file_id, state.other_account_file_id, state.pending_account_file_id)
        ]
        for record in state.records():
            for number in (record.file_id, record.pending_file_id):
                used.append("key-%d" % number)
                used.append("chain-%d" % number)
        for name in names:
            parts = name.split("-")
            if parts[0] in ("key", "chain", "account") and name not in used and name not in self._to_erase:
                self.erase_later(name)
                # Its number was given away before the power went: a new file under the same name would be erased too.
                if parts[1].isdigit():
                    state.last_file_id = max(state.last_file_id, int(parts[1]))
