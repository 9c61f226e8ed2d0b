import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, MISSING, open, serve } from "./browser.ts";

describe.skipIf(MISSING !== "")(
  `the built package in a page${MISSING && ` (skipped: ${MISSING})`}`,
  () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launch();
    });
    afterAll(() => browser.close());

    const SELF = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'";
    test.each([
      ["without a policy", undefined, "wasm"],
      [
        "with a policy that allows WASM",
        `${SELF}; script-src 'self' 'wasm-unsafe-eval'`.replace("script-src 'self'; ", ""),
        "wasm",
      ],
      ["with a policy that forbids WASM: the JavaScript kernel", SELF, "js"],
    ])(
      "imported as ES modules it works in a window and in a worker, %s",
      async (_, csp, kernel) => {
        const site = await serve(".", csp);
        const { page } = await open(browser, `${site.url}/test/browser/pages/embed.html`);
        for (const where of ["window", "worker"]) {
          await expect
            .poll(() => page.textContent(`#${where}`), { timeout: 30_000 })
            .toMatch(new RegExp(`^1000000 bytes, kernel ${kernel}`));
        }
        await page.close();
        site.close();
      },
    );
  },
);
