import { useEffect, useState } from "preact/hooks";

/** What the address says after "#": "/course/zero-window/12?lang=ko". */
export interface Route {
  readonly view: string;
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

export function readRoute(hash = location.hash): Route {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [view, ...parts] = path.split("/");
  return { view: view || "course", parts, query: new URLSearchParams(query) };
}

/** Writes the address without loading anything; `lang` and what is not named stay. */
export function writeRoute(
  view: string,
  parts: readonly (string | number)[],
  changes: Readonly<Record<string, string | undefined>> = {},
  push = false,
): void {
  const { query } = readRoute();
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) query.delete(key);
    else query.set(key, value);
  }
  const text = query.toString();
  const hash = `#/${[view, ...parts].join("/")}${text === "" ? "" : `?${text}`}`;
  if (hash === location.hash) return;
  if (push) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

export function useRoute(): Route {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const changed = () => setRoute(readRoute());
    window.addEventListener("hashchange", changed);
    window.addEventListener("popstate", changed);
    return () => {
      window.removeEventListener("hashchange", changed);
      window.removeEventListener("popstate", changed);
    };
  }, []);
  return route;
}
