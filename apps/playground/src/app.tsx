import { useEffect } from "preact/hooks";
import { browserLanguage, type Language, LanguageContext, useWords } from "./language.ts";
import { type Route, useRoute, writeRoute } from "./route.ts";
import { type Theme, useTheme } from "./theme.ts";
import { lazy } from "./views/lazy.tsx";

const Course = lazy(async () => (await import("./course/course.tsx")).Course);
const LabView = lazy(async () => (await import("./lab/lab-view.tsx")).LabView);
const LiveView = lazy(async () => (await import("./live/live-view.tsx")).LiveView);

export function App() {
  const route = useRoute();
  const asked = route.query.get("lang");
  const lang: Language = asked === "ko" || asked === "en" ? asked : browserLanguage();
  useEffect(() => {
    document.documentElement.lang = lang;
  }, [lang]);
  return (
    <LanguageContext.Provider value={lang}>
      <Page route={route} />
    </LanguageContext.Provider>
  );
}

function Page({ route }: { route: Route }) {
  const { t, lang } = useWords();
  const { theme, dark, setTheme } = useTheme();
  const link = (view: string) => `#/${view}${langQuery(route)}`;
  const tab = (view: string, label: string) => (
    <a href={link(view)} aria-current={route.view === view ? "page" : undefined}>
      {label}
    </a>
  );
  return (
    <>
      <a class="skip" href="#main" onClick={skip}>
        {t("skip")}
      </a>
      <header class="top">
        <h1>Fullduplex</h1>
        <nav aria-label="Views">
          {tab("course", t("course"))}
          {tab("lab", t("laboratory"))}
          {tab("live", t("live"))}
        </nav>
        <div class="switches">
          <select
            aria-label={t("language")}
            value={lang}
            onChange={(e) => writeRoute(route.view, route.parts, { lang: e.currentTarget.value })}
          >
            <option value="en">English</option>
            <option value="ko">한국어</option>
          </select>
          <select
            aria-label={t("theme")}
            value={theme}
            onChange={(e) => setTheme(e.currentTarget.value as Theme)}
          >
            <option value="auto">{t("auto")}</option>
            <option value="light">{t("light")}</option>
            <option value="dark">{t("dark")}</option>
          </select>
        </div>
      </header>
      <main id="main" tabIndex={-1}>
        {route.view === "lab" ? (
          <LabView dark={dark} />
        ) : route.view === "live" ? (
          <LiveView dark={dark} token={route.parts[0] ?? ""} />
        ) : (
          <Course route={route} dark={dark} />
        )}
      </main>
    </>
  );
}

function langQuery(route: Route): string {
  const lang = route.query.get("lang");
  return lang === null ? "" : `?lang=${lang}`;
}

/** The address belongs to the view, so the link moves the focus instead. */
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById("main")?.focus();
}
