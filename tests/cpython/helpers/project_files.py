"""Every file of the project, for the tests that read all of them."""

import os
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def files():
    """Every file of the project, relative to its root: what git has or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode == 0 and done.stdout:
        found = [name for name in done.stdout.split("\0") if name]
    else:  # a tree without git, such as an unpacked archive
        found = []
        for directory, folders, names in os.walk(ROOT):
            folders[:] = [name for name in folders if not name.startswith(".") and "cache" not in name]
            found += [os.path.relpath(os.path.join(directory, name), ROOT) for name in names]
    return sorted(name for name in found if os.path.isfile(os.path.join(ROOT, name)))


def text(name):
    """A file's text, or "" for one that is not text."""
    with open(os.path.join(ROOT, name), "rb") as file:
        data = file.read()
    try:
        return data.decode()
    except UnicodeDecodeError:
        return ""


def is_python(name):
    if name.endswith(".py"):
        return True
    return (
        "." not in os.path.basename(name)
        and text(name).startswith("#!")
        and "python" in text(name).split("\n")[0]
    )


def is_test(name):
    parts = name.split("/")
    return "tests" in parts[:-1] or parts[-1].startswith("test_")


ALL = files()
PYTHON = [name for name in ALL if is_python(name)]
