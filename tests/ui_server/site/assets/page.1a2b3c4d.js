import { route } from "./route.mjs";

const show = (id, text) => { document.getElementById(id).textContent = text; };

const render = () => show("route", route(location.pathname));
document.getElementById("to-notes").addEventListener("click", (event) => {
  event.preventDefault();
  history.pushState({}, "", event.target.getAttribute("href"));
  render();
});
addEventListener("popstate", render);
render();

// The least module that is one: eight bytes.
WebAssembly.instantiateStreaming(fetch("/assets/empty.wasm"))
  .then(() => show("wasm", "ready"), (error) => show("wasm", String(error)));

const ask = async () => {
  try {
    const response = await fetch("/api/notes", { cache: "no-store" });
    show("api", response.ok ? (await response.json()).target : `down ${response.status}`);
  } catch (error) {
    show("api", `failed ${error}`);
  }
  setTimeout(ask, 50);
};
ask();

const connect = () => {
  const socket = new WebSocket(`ws://${location.host}/ws/echo`, ["notes"]);
  socket.onopen = () => socket.send(`hello over ${socket.protocol}`);
  socket.onmessage = (event) => show("socket", event.data);
  socket.onclose = (event) => { show("socket", `closed ${event.code}`); setTimeout(connect, 50); };
};
connect();
