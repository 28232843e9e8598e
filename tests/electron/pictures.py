"""Makes the picture of docs/progress.md anew: ``python -m tests.electron.pictures``.

The splash's own page is shown by a browser in Electron's place, with a start as a shell tells it.
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

from tests.browser import chromium

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "electron" / "renderer" / "splash.html"
PICTURE = ROOT / "docs" / "pictures" / "splash.png"
SIZE = {"width": 480, "height": 380, "deviceScaleFactor": 2, "mobile": False}
"""As large as the splash's window, and twice as sharp."""
STATE = {
    "name": "Notes",
    "phase": "starting",
    "fraction": 0.67,
    "left": "About 5 s left",
    "lastLine": "loaded 12 of 30 layers",
    "lines": ["model: loading the model (40 %)", "api waits for model", "web waits for api"],
    "hasFolder": False,
}
SHELL = """window.splash = {{
    state: async () => ({state}), onState() {{}}, log: async () => "",
    openFolder() {{}}, choose() {{}},
}};"""


def texts() -> dict[str, str]:
    """Return what the splash says by itself."""
    source = (ROOT / "electron" / "lib" / "electron" / "splash.js").read_text(encoding="utf-8")
    table = source.partition("const TEXTS = {")[2].partition("};")[0]
    return dict(re.findall(r'(\w+): "([^"]*)"', table))


def main() -> None:
    """Write the picture."""
    script = SHELL.format(state=json.dumps({**STATE, "texts": texts()}))
    with tempfile.TemporaryDirectory() as name, chromium(Path(name)) as driver:
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SIZE)
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
        driver.get(PAGE.as_uri())
        driver.execute_async_script("setTimeout(arguments[0], 0)")  # the state has been shown
        PICTURE.write_bytes(driver.get_screenshot_as_png())
    print(f"{PICTURE}: {PICTURE.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main()
