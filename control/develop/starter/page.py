"""The page of a new bundle: three files without a build step."""

from __future__ import annotations

HTML = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>@NAME@</title>
<link rel="stylesheet" href="style.css">
<main>
  <h1>@NAME@</h1>
  <p>The worker has counted to <output id="count">…</output>.</p>
  <p id="away" hidden>The API does not answer; asking again.</p>
</main>
<script src="page.js" type="module"></script>
</html>
"""
STYLE = """\
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }
output { font-weight: bold; font-variant-numeric: tabular-nums; }
"""
SCRIPT = """\
// The runtime serves this page and passes /api on to the API: same origin, no port to know.

const count = document.getElementById("count");
const away = document.getElementById("away");

async function look() {
  try {
    const answer = await fetch("/api/count");
    if (!answer.ok) throw new Error(answer.statusText);
    count.textContent = (await answer.json()).count;
    away.hidden = true;
  } catch {
    away.hidden = false;
  }
  setTimeout(look, 1000);
}

look();
"""
FILES = {"page/index.html": HTML, "page/style.css": STYLE, "page/page.js": SCRIPT}
