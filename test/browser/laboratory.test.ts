import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkAccessibility, launch, MISSING, open, serve, type Site } from "./browser.ts";

describe.skipIf(MISSING !== "")(`the laboratory${MISSING && ` (skipped: ${MISSING})`}`, () => {
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

  const timeUs = (page: Page) => page.getAttribute(".clock", "data-us").then(Number);
  const number = (page: Page, selector: string) => page.textContent(selector).then(Number);

  test("a packet that is clicked is dropped, drawn as lost, and sent again", async () => {
    const { page, complaints } = await open(browser, `${site.url}/#/lab`);
    await page.selectOption('[data-action="speed"]', "0.02");
    await page.waitForSelector(".dot:not(.small)", { timeout: 60_000 });
    await page.click('[data-action="play"]');
    expect(await number(page, '[data-flow-retrans="0"]')).toBe(0);
    await page.locator(".dot:not(.small)").first().dispatchEvent("pointerdown");
    await page.waitForSelector(".arrow.lost");
    await page.selectOption('[data-action="speed"]', "1");
    await page.click('[data-action="play"]');
    await expect
      .poll(() => number(page, '[data-dropped="0"]'), { timeout: 30_000 })
      .toBeGreaterThanOrEqual(1);
    await expect
      .poll(() => number(page, '[data-flow-retrans="0"]'), { timeout: 30_000 })
      .toBeGreaterThanOrEqual(1);
    expect(await page.textContent('[data-flow-state="0"]')).toBe("ESTABLISHED");
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("a cable that is cut stops the data, and healed lets it go on", async () => {
    const { page } = await open(browser, `${site.url}/#/lab`);
    await page.selectOption('[data-action="speed"]', "1");
    const kilobytes = () =>
      page.textContent(".flow-state").then((text) => Number(/· (\d+) kB/.exec(text ?? "")![1]));
    await expect.poll(kilobytes, { timeout: 30_000 }).toBeGreaterThan(20);
    await page.click('[data-action="cut"]');
    await page.waitForTimeout(200);
    const before = await kilobytes();
    const cutUs = await timeUs(page);
    await expect.poll(() => timeUs(page), { timeout: 60_000 }).toBeGreaterThan(cutUs + 1_000_000);
    expect(await kilobytes()).toBe(before);
    await page.click('[data-action="heal"]');
    await expect.poll(kilobytes, { timeout: 60_000 }).toBeGreaterThan(before + 20);
    await page.close();
  });

  test("three flows with different controllers run for 60 virtual seconds, and the plots move", async () => {
    const { page, complaints } = await open(
      browser,
      `${site.url}/#/lab?preset=three%20flows,%20one%20bottleneck`,
    );
    await page.selectOption('[data-action="speed"]', "20");
    const points = () => page.getAttribute(".chart", "data-points").then(Number);
    await expect.poll(points, { timeout: 30_000 }).toBeGreaterThan(10);
    const first = await points();
    await expect
      .poll(() => timeUs(page), { timeout: 110_000, interval: 500 })
      .toBeGreaterThan(60e6);
    expect(await points()).toBeGreaterThan(first);
    const received = await page.$$eval(".flow-state", (all) =>
      all.map((each) => Number(/· (\d+) kB/.exec(each.textContent!)![1])),
    );
    // 5 Mbit/s for 60 s are 37.5 MB; headers and losses take their part.
    const total = received.reduce((a, b) => a + b, 0);
    expect(total).toBeGreaterThan(30_000);
    for (const one of received) expect(one).toBeGreaterThan(1000);
    expect(complaints).toEqual([]);
    await page.close();
  });

  test("one event at a time, and the link holds the setup", async () => {
    const { page } = await open(browser, `${site.url}/#/lab`);
    await page.click('[data-action="step"]');
    const a = await timeUs(page);
    await page.click('[data-action="step"]');
    await page.click('[data-action="step"]');
    await page.click('[data-action="step"]');
    expect(await timeUs(page)).toBeGreaterThan(a);
    await page.click('[data-action="share"]');
    await expect.poll(() => page.url()).toContain("setup=");
    await page.reload();
    await page.waitForSelector('[data-flow-state="0"]');
    await page.close();
  });

  test("the capture can be downloaded as pcapng", async () => {
    const { page } = await open(browser, `${site.url}/#/lab`);
    await page.waitForTimeout(1500);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.click('[data-action="pcapng"]'),
    ]);
    const chunks: Buffer[] = [];
    for await (const chunk of await download.createReadStream()) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    expect(bytes.readUInt32LE(0)).toBe(0x0a0d0d0a);
    expect(bytes.length).toBeGreaterThan(500);
    await page.close();
  });

  test.each(["light", "dark"] as const)("axe finds nothing serious, %s", async (colorScheme) => {
    const { page } = await open(browser, `${site.url}/#/lab`, { colorScheme });
    await page.waitForTimeout(1500);
    await page.click('[data-action="play"]');
    await checkAccessibility(page);
    await page.close();
  });
});
