"""What a statement imports, and which branch of a condition is that of a target."""

from __future__ import annotations

import ast

import pytest

from tests.packaging.environment import ROOT


@pytest.mark.parametrize(
    ("condition", "on_darwin", "on_linux"),
    [
        ("sys.platform == 'darwin'", True, False),
        ("os.name != 'nt'", True, True),
        ("TYPE_CHECKING", False, False),
        ("hasattr(os, 'fork')", None, None),
        ("os.name == 'posix' and sys.platform == 'darwin'", True, False),
        ("sys.platform != 'linux' and sys.platform != 'win32'", True, False),
        ("sys.platform == 'linux' or os.name == 'nt'", False, True),
        ("sys.platform == 'darwin' and hasattr(os, 'fork')", None, False),
        ("sys.platform != 'darwin' or hasattr(os, 'fork')", None, True),
    ],
)
def test_a_condition_is_judged_by_all_of_its_parts(
    monkeypatch: pytest.MonkeyPatch, condition: str, on_darwin: bool | None, on_linux: bool | None
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    from shipping.import_statements import verdict_of

    test = ast.parse(condition, mode="eval").body
    assert [verdict_of(test, system) for system in ("darwin", "linux")] == [on_darwin, on_linux]


def test_a_codec_that_a_call_names_is_one_of_the_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "packaging"))
    from shipping.import_statements import codecs_in_calls

    text = 'a.encode("utf-16-be"); b.decode("latin-1", "replace"); open(c, encoding="U8")'
    wanted = ["utf_16_be", "latin_1", "utf_8"]
    assert list(codecs_in_calls(ast.parse(text))) == [f"encodings.{one}" for one in wanted]
