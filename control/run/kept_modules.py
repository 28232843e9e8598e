"""What the runtime holds of its program once the start is over: all that it may still need.

An updater may replace or remove the installed files while the runtime runs. It answers and stops
all the same; what needs a new process of ours is refused (bundlevisor.actors.process.own_files).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from bundlevisor.actors.guardian import kept_modules as guardians
from bundlevisor.actors.guardian.code_collection import CodeCollection, go_on, machine_code
from bundlevisor.actors.guardian.kept_code import KeptCode, PrivateStore, SharedStore
from bundlevisor.actors.guardian.kept_index import KeptIndex
from bundlevisor.actors.guardian.shared_memory import shared_memory
from bundlevisor.actors.process import own_files
from bundlevisor.control.boot import code_file
from bundlevisor.control.run import code_gathering
from bundlevisor.control.run.needed_code import collect, libraries

if TYPE_CHECKING:
    from collections.abc import Callable

    from bundlevisor.actors.guardian.link import Guardian
    from bundlevisor.control.run.given_up import Work

KIND = "code"


def keep(
    guardian: Guardian,
    work: Work,
    give_way: Callable[[], object] = go_on,
    be_over: Callable[[], object] = go_on,
) -> None:
    """Keep all of it, and have the guardian keep its own. OSError where there is no room for it.

    Raises GivenUp when the runtime ends meanwhile.

    All of it lies in the file of bytecode that starts import from, where there is one. That stays
    open, and is what it is although another one takes its place.
    """
    own_files.check()
    file = code_gathering.gathered(work, guardian, give_way, be_over)
    store: SharedStore | PrivateStore
    if file is not None and sys.platform != "win32":
        store, index_at = SharedStore(file.fd), file.kept_at
    else:
        if file is not None:
            file.close()  # Windows, where the next start could not replace it
        shared = None if sys.platform == "win32" else SharedStore(shared_memory(KIND, 0))
        store = shared or PrivateStore()
        be_over()
        collection = CodeCollection(store, work.check)
        collect(collection, frozenset(sys.modules))
        index_at = collection.finish()
    find = KeptIndex(store, index_at).get
    KeptCode(store, index_at).stand_in(machine_code(find, libraries()))
    code_file.forget()
    fd = store.fd if isinstance(store, SharedStore) else -1
    guardian.hold_code(fd, index_at, machine_code(find, guardians.MACHINE_CODE))
