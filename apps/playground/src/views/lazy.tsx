import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A component whose script is fetched when it is first shown. */
export function lazy<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): ComponentType<Props> {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const [Shown, show] = useState<ComponentType<Props> | undefined>(() => loaded);
    useEffect(() => {
      if (Shown !== undefined) return;
      let current = true;
      void load().then((component) => {
        loaded = component;
        if (current) show(() => component);
      });
      return () => {
        current = false;
      };
    }, []);
    return Shown === undefined ? <p class="wait">…</p> : <Shown {...props} />;
  };
}
