"use strict";
// Shows the lines of the address's hash: the main process changes it, and has no other way in.

function show() {
  const lines = decodeURIComponent(location.hash.slice(1)).split("\n").filter(Boolean);
  const items = lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  });
  document.getElementById("waiting").replaceChildren(...items);
}

addEventListener("hashchange", show);
show();
