"""Puts the folder together."""

from __future__ import annotations

import glob
import os
import shutil

from shipping import (
    audited,
    bytecode,
    licences,
    macho,
    nameless,
    native,
    product,
    re2_build,
    sources,
    sums,
    wheels,
)
from shipping.closure import Closure, Modules
from shipping.interpreter import LEFT_OUT, Interpreter
from shipping.targets import Target
from shipping.tools import CannotBuild, refuse_foreign, strip

HERE = os.path.dirname(os.path.abspath(__file__))
NOTED = "imports.txt"
NOTING = f"""
def _note(event, words):
    if event == "import":
        fd = system.open(noted, system.O_WRONLY | system.O_CREAT | system.O_APPEND, 0o666)
        system.write(fd, words[0].encode() + b"\\n")
        system.close(fd)


def _install(library, role_path, plain=install):
    global noted
    noted = f"{{library}}/{NOTED}"
    sys.addaudithook(_note)
    plain(library, role_path)


install = _install
"""
"""What the finder of an auditing folder does besides: it notes each import in a file."""


def build(
    target: Target,
    output: str,
    *,
    python: str | None,
    interpreter: Interpreter | None = None,
    everything: bool = False,
    stand_in: bool = False,
) -> str:
    """Build the folder for a target; returns a sentence about it; :class:`CannotBuild`.

    ``interpreter`` is one that was built otherwise. ``stand_in``: nothing is compiled that takes
    minutes, so RE2 is the wheel's.
    """
    refuse_foreign(output, sums.NAME)
    interpreter = interpreter or sources.interpreter(target, python)
    site = wheels.unpacked(target, interpreter.minor)
    modules = select(target, interpreter, site, everything=everything)
    making = f"{output}.part"
    shutil.rmtree(making, ignore_errors=True)
    os.makedirs(os.path.join(making, "lib"))
    own_re2 = re2_build.is_for(target) and not stand_in
    places = _copy_extensions(target, interpreter, modules, site, making)
    if own_re2:
        _replace_re2(target, interpreter, places, making)
    _copy_files(target, interpreter, making)
    _copy_data(modules, making)
    _write_code(target, interpreter, modules, places, making, everything=everything)
    compiled = native.licences(target) | (re2_build.licences() if own_re2 else {})
    licences.collect(interpreter, site, compiled, making)
    _even_out(making)
    sums.write(target, interpreter, site, re2_build.origin() if own_re2 else "", making)
    shutil.rmtree(output, ignore_errors=True)
    os.rename(making, output)
    size = sum(os.path.getsize(os.path.join(output, name)) for name in sums.listed(output))
    return f"{output}: {len(modules.sources)} modules, {size / 1e6:.1f} MB"


def select(
    target: Target, interpreter: Interpreter, site: str, *, everything: bool = False
) -> Modules:
    """Return the modules of the folder; :class:`CannotBuild` where one of them cannot be had."""
    found = followed(target, interpreter, site)
    if everything:
        found.add_everything([site, interpreter.stdlib])
        return found.modules
    names, seen_there = audited.seen(target, interpreter.minor)
    lacking = [name for name in names if not found.add(name, "the audit")]
    if lacking and seen_there:
        raise CannotBuild(
            f"the product imports {', '.join(lacking)}, which neither the interpreter nor the"
            " libraries have: add them to the interpreter, or renew the list by packaging/audit.py"
        )
    return found.modules


def followed(target: Target, interpreter: Interpreter, site: str) -> Closure:
    """Return the closure of the import statements."""
    places = [product.ROOT, site, interpreter.stdlib]
    frozen = bytecode.frozen_in(interpreter.minor)
    extensions = {n: path for n, path in interpreter.extensions.items() if n not in LEFT_OUT}
    found = Closure(places, interpreter.builtin, extensions, target.system, frozen)
    for module, _ in product.ROLES.values():
        if not found.add(module, "the programs"):
            raise CannotBuild(f"there is no module {module}")
    for name in audited.always(target.system):
        found.add(name, "CPython")
    return found


def _copy_extensions(
    target: Target, interpreter: Interpreter, modules: Modules, site: str, making: str
) -> dict[str, str]:
    """Copy extension modules, stripped; returns each one's place in lib/."""
    places = {}
    for name, path in sorted(modules.extensions.items()):
        if name in LEFT_OUT:
            continue
        if target.system == "linux" and name != re2_build.NAME and _wants_cpp_library(path):
            continue
        inside = (
            os.path.relpath(path, site)
            if path.startswith(site + os.sep)
            else (os.path.join("dynload", os.path.basename(path)))
        )
        places[name] = inside.replace(os.sep, "/")
        copied = os.path.join(making, "lib", inside)
        os.makedirs(os.path.dirname(copied), exist_ok=True)
        shutil.copyfile(path, copied)
        if target.system == "darwin":
            macho.thin(copied, target.machine)  # a wheel may be for both processors
        if name == nameless.MODULE:
            native.build_unicodedata(target, interpreter, copied)
        elif target.system != "win32":
            strip(copied)
    _copy_libraries(site, os.path.join(making, "lib"))
    return places


def _wants_cpp_library(path: str) -> bool:
    """Return whether a module wants the system's C++ library, which need not be there.

    Such a module is left out: its package has the same in Python (frozenlist), or the tests, in a
    root without that library, fail.
    """
    with open(path, "rb") as file:
        return b"libstdc++.so.6\0" in file.read()


def _replace_re2(
    target: Target, interpreter: Interpreter, places: dict[str, str], making: str
) -> None:
    """Put our own build in the place of the wheel's, and what the wheel brought for it away."""
    inside = os.path.join(making, "lib", places[re2_build.NAME])
    built = re2_build.module(target, interpreter, os.path.basename(inside))
    shutil.copyfile(built, inside)
    shutil.rmtree(os.path.join(making, "lib", "google_re2.libs"), ignore_errors=True)


def _copy_libraries(site: str, library: str) -> None:
    """Copy the shared libraries that repaired wheels bring beside their packages."""
    for name in sorted(os.listdir(site)):
        if name.endswith(".libs"):
            shutil.copytree(os.path.join(site, name), os.path.join(library, name))


def _copy_files(target: Target, interpreter: Interpreter, making: str) -> None:
    for inside, path in interpreter.files.items():
        copied = os.path.join(making, inside)
        os.makedirs(os.path.dirname(copied), exist_ok=True)
        shutil.copyfile(path, copied)
        if target.system != "win32":  # python.org's signature stays valid there
            strip(copied)


def _copy_data(modules: Modules, making: str) -> None:
    """Copy what the product's packages read beside their modules, to where those would lie."""
    for package, patterns in product.data().items():
        source = modules.sources.get(package)
        if source is None:
            continue
        for pattern in patterns:
            found = sorted(glob.glob(os.path.join(os.path.dirname(source), pattern)))
            if not found:
                raise CannotBuild(f"{package} has no {pattern}, which pyproject.toml names")
            for path in found:
                inside = os.path.relpath(path, os.path.dirname(source))
                copied = os.path.join(making, "lib", *package.split("."), inside)
                os.makedirs(os.path.dirname(copied), exist_ok=True)
                shutil.copyfile(path, copied)


def _write_code(
    target: Target,
    interpreter: Interpreter,
    modules: Modules,
    places: dict[str, str],
    making: str,
    *,
    everything: bool,
) -> None:
    """Compile the modules and the programs."""
    shown = {
        name: (path, _shown(name, name in modules.packages))
        for name, path in modules.sources.items()
    }
    roles = os.path.join(making, "roles.py")
    with open(roles, "w", encoding="utf-8") as file:
        file.write(f"ROLES = {product.ROLES!r}\n")
    shown["folder_roles"] = (roles, "folder_roles.py")
    finder = os.path.join(making, "finder.py")
    with open(os.path.join(HERE, "finder.py"), encoding="utf-8") as plain:
        text = plain.read()
    with open(finder, "w", encoding="utf-8") as file:
        file.write(text + (NOTING if everything else ""))
    shown[bytecode.FINDER] = (finder, "finder.py")
    code = bytecode.compiled(shown, interpreter.minor)
    os.remove(roles)
    os.remove(finder)
    frozen = bytecode.frozen_header(code)
    for name in bytecode.FROZEN:
        del code[name]
    native.build(target, interpreter, frozen, making)
    path = os.path.join(making, "lib", "modules.bin")
    unpacked = {"folder_roles", *audited.waited_for()}
    bytecode.write(path, code, modules, places, unpacked, bytecode.magic(interpreter.minor))


def _shown(name: str, is_package: bool) -> str:
    """Return the name of a source in traces: the same wherever the folder is built."""
    return name.replace(".", "/") + ("/__init__.py" if is_package else ".py")


def _even_out(folder: str) -> None:
    """Give every file the same time and only the modes that matter: builds are compared.

    Everybody may read it all: an application is installed as it was packed, whatever the builder's
    umask.
    """
    for where, _, files in os.walk(folder):
        os.chmod(where, 0o755)
        for name in files:
            path = os.path.join(where, name)
            program = where == folder or name == "python"
            os.chmod(path, 0o755 if program else 0o644)
            os.utime(path, (0, 0))
