import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SCENARIOS } from "../../src/scenarios/registry.ts";
import { runScenario } from "../../src/scenarios/run.ts";
import { checkAccessibility, launch, MISSING, open, serve, type Site } from "./browser.ts";

describe.skipIf(MISSING !== "")(`the course${MISSING && ` (skipped: ${MISSING})`}`, () => {
  let browser: Browser;
  let site: Site;
  beforeAll(async () => {
    browser = await launch();
    site = await serve("dist/playground");
  });
  afterAll(async () => {
    await browser.close();
    site.close();
  });

  test.each(SCENARIOS.map((scenario) => scenario.name))(
    "%s: run to its end in the browser it has the same numbers as here",
    async (name) => {
      const expected = await runScenario(SCENARIOS.find((s) => s.name === name)!);
      const { page, complaints } = await open(browser, `${site.url}/#/course/${name}`);
      await page.click('[data-action="end"]:not([disabled])');
      await page.waitForSelector("[data-value]");
      const read = await page.$$eval("[data-value]", (cells) =>
        cells.map((cell) => [cell.getAttribute("data-value"), cell.textContent]),
      );
      const wanted = Object.entries(expected.values).map(([key, value]) => [
        key,
        Array.isArray(value) ? value.join("") : String(value),
      ]);
      expect(read).toEqual(wanted);
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  test("steps go forward and back, by key and by address, and what changed is marked", async () => {
    const { page } = await open(browser, `${site.url}/#/course/three-way-handshake/0`);
    const step = () => page.getAttribute(".clock", "data-step").then(Number);
    await page.waitForSelector(".clock");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await expect.poll(step).toBe(2);
    await page.keyboard.press("ArrowLeft");
    await expect.poll(step).toBe(1);
    await page.keyboard.press("End");
    await expect.poll(() => page.textContent('[data-state="client"]')).toBe("ESTABLISHED");
    expect(await page.textContent('[data-state="server"]')).toBe("ESTABLISHED");
    expect(await page.textContent('[data-variable="client.RCV.NXT"]')).toMatch(/^2001/);
    const last = await step();
    expect(page.url()).toContain(`#/course/three-way-handshake/${last}`);
    await page.reload();
    await expect.poll(step).toBe(last);
    const arrows = await page.$$eval(".ladder .arrow", (all) =>
      all.map((each) => each.querySelector("title")!.textContent),
    );
    expect(arrows).toHaveLength(3);
    expect(arrows[0]).toContain("SYN seq=1000");
    expect(arrows[1]).toContain("SYN+ACK seq=2000 ack=1001");
    expect(arrows[2]).toContain("ACK seq=1001 ack=2001");
    await page.close();
  });

  test("the browser's language decides, and the switch overrides it", async () => {
    const { page } = await open(browser, `${site.url}/#/course/zero-window/3`, { locale: "ko-KR" });
    await expect.poll(() => page.textContent("h2")).toBe("윈도우가 닫혔다가 다시 열린다");
    await page.selectOption('[aria-label="언어"]', "en");
    await expect.poll(() => page.textContent("h2")).toBe("The window closes, and opens again");
    expect(page.url()).toContain("lang=en");
    await page.close();
  });

  test.each(["light", "dark"] as const)("axe finds nothing serious, %s", async (colorScheme) => {
    const { page } = await open(browser, `${site.url}/#/course/zero-window/20`, { colorScheme });
    await page.waitForSelector(".ladder");
    await checkAccessibility(page);
    await page.close();
  });

  test.each([375, 1600])("nothing is wider than a page of %d pixels", async (width) => {
    for (const hash of ["#/course/fast-retransmit/30", "#/lab", "#/live"]) {
      const { page } = await open(browser, `${site.url}/${hash}`, {
        viewport: { width, height: 800 },
      });
      await page.waitForTimeout(700);
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth),
        hash,
      ).toBeLessThanOrEqual(width);
      await page.close();
    }
  });
});
