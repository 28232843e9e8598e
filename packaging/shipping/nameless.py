"""unicodedata without the names of characters: 0.7 of its 1.1 MB.

The product, and the libraries in the folder, ask for properties and normal forms of characters, and
never for their names (``unicodedata.name``, ``lookup``, and ``\\N{…}`` in text that is compiled at
run time): these are as if no character had one.
"""

from __future__ import annotations

import os
import shutil

from shipping.interpreter import Interpreter

MODULE = "unicodedata"
NAMES = """/* No character has a name: every table leads to its empty entry. */
#define NAME_MAXLEN 256
static const unsigned char lexicon[] = {0};
static const unsigned int lexicon_offset[] = {0};
#define phrasebook_shift 10
#define phrasebook_short 190
static const unsigned char phrasebook[] = {0};
static const unsigned short phrasebook_offset1[(0x110000 >> 10) + 1] = {0};
static const unsigned int phrasebook_offset2[1 << 10] = {0};
static const unsigned int code_hash[] = {0};
#define code_magic 47
#define code_size 1
#define code_poly 3
static const unsigned int aliases_start = 0xf0000;
static const unsigned int aliases_end = 0xf0000;
static const unsigned int name_aliases[] = {0};
static const unsigned int named_sequences_start = 0xf0200;
static const unsigned int named_sequences_end = 0xf0200;
typedef struct NamedSequence { int seqlen; Py_UCS2 seq[4]; } named_sequence;
static const named_sequence named_sequences[] = {{0, {0}}};
"""
"""What stands in for ``unicodename_db.h``, in its format."""


def source(interpreter: Interpreter, folder: str) -> tuple[str, ...]:
    """Put the module's source into a folder; return what the compiler is told, to compile it.

    Nothing where the interpreter's own sources are not here: it was given, and keeps its names.
    """
    modules = os.path.join(os.path.dirname(interpreter.stdlib), "Modules")
    if not os.path.exists(os.path.join(modules, "unicodedata.c")):
        return ()
    shutil.copy(os.path.join(modules, "unicodedata.c"), folder)
    with open(os.path.join(folder, "unicodename_db.h"), "w", encoding="ascii") as file:
        file.write(NAMES)
    internal = (os.path.join(place, "internal") for place in interpreter.headers)
    headers = (modules, *interpreter.headers, *internal)
    return (*(f"-I{place}" for place in headers), os.path.join(folder, "unicodedata.c"))
