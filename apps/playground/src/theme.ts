import { useEffect, useState } from "preact/hooks";

export type Theme = "auto" | "light" | "dark";
const KEY = "fullduplex-theme";

function stored(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "auto";
  } catch {
    return "auto"; // no storage in this context: the system decides
  }
}

/** The theme chosen, and whether that is dark now. */
export function useTheme(): { theme: Theme; dark: boolean; setTheme(theme: Theme): void } {
  const [theme, setTheme] = useState<Theme>(stored);
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [systemDark, setSystemDark] = useState(query.matches);
  useEffect(() => {
    const changed = () => setSystemDark(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  const dark = theme === "dark" || (theme === "auto" && systemDark);
  useEffect(() => {
    document.documentElement.dataset["theme"] = dark ? "dark" : "light";
    try {
      if (theme === "auto") localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, theme);
    } catch {
      // not kept
    }
  }, [theme, dark]);
  return { theme, dark, setTheme };
}

/** A colour of the style sheet, as the canvas needs it. */
export function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}
