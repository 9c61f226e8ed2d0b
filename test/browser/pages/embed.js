import { exchange } from "./exchange.js";

const show = (where, text) => {
  document.getElementById(where).textContent = text;
};
exchange().then(
  (text) => show("window", text),
  (error) => show("window", String(error)),
);
const worker = new Worker(new URL("./embed-worker.js", import.meta.url), { type: "module" });
worker.onmessage = ({ data }) => show("worker", data);
worker.onerror = (event) => show("worker", event.message);
