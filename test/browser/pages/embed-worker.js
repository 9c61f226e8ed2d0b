import { exchange } from "./exchange.js";

exchange().then(
  (text) => postMessage(text),
  (error) => postMessage(String(error)),
);
