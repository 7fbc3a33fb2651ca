import axe from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../../../src/quarantine/audit.ts';
import { QUIET_CHROMIUM } from '../../support/chromium.ts';
import { needs } from '../../support/programs.ts';
import { ReviewedState } from './desk.ts';

const SIZES = { phone: 390, desktop: 1280 } as const;

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly { readonly html: string }[];
}

describe.skipIf(!needs('chromium'))('the review pages in a browser', () => {
  let browser: Browser;
  let reviewed: ReviewedState;
  let origin: string;

  beforeAll(async () => {
    browser = await chromium.launch(QUIET_CHROMIUM);
  });
  afterAll(async () => await browser.close());
  beforeEach(async () => {
    reviewed = await ReviewedState.open();
    origin = await reviewed.app.listen({ port: 0, host: '127.0.0.1' });
  });
  afterEach(async () => await reviewed[Symbol.asyncDispose]());

  async function opened(
    path: string,
    {
      width = 1280,
      colorScheme = 'light',
      javaScriptEnabled = true,
    }: { width?: number; colorScheme?: 'light' | 'dark'; javaScriptEnabled?: boolean } = {},
  ): Promise<Page> {
    const context = await browser.newContext({
      viewport: { width, height: 900 },
      colorScheme,
      javaScriptEnabled,
      // what looks at the page is no part of it
      bypassCSP: javaScriptEnabled,
    });
    const page = await context.newPage();
    await page.goto(origin + path);
    return page;
  }

  const events = async (): Promise<readonly string[]> => {
    using log = await AuditLog.open(reviewed.state, { actor: 'test' });
    return [...log.trail.records()].map(({ record }) => record.event);
  };

  it('have nothing that axe finds, at either width, in the light and in the dark, and are no wider than it', async () => {
    await reviewed.busy();
    const id = await reviewed.leaky();
    const incomplete = await reviewed.incomplete();
    const denied = await reviewed.small('denied');
    await reviewed.desk.deny(denied, { actor: 'alice', reason: 'no' });
    const released = await reviewed.small('released');
    const { seen } = await reviewed.desk.output(released);
    await reviewed.desk.release(
      released,
      seen,
      { actor: 'alice', reason: 'yes' },
      new Date(Date.now() + 1e9),
    );
    const nameless = await reviewed.nameless(`nar/${'1'.repeat(52)}.nar.xz`);
    const outputs = [id, incomplete, denied, released, nameless, 'none'].map(
      (each) => `/review/outputs/${each}`,
    );
    const others = ['/review', '/review/trail', '/review/published', '/review/denials', '/review/homes'];
    for (const path of [...others, ...outputs, `/review/outputs/${released}?done=released`]) {
      for (const [width, colorScheme] of [
        [SIZES.phone, 'dark'],
        [SIZES.desktop, 'light'],
      ] as const) {
        const page = await opened(path, { width, colorScheme });
        // what is folded is looked at, too
        await page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true');
        await page.evaluate(axe.source);
        const found = (await page.evaluate(
          'axe.run().then(({ violations }) => violations)',
        )) as readonly Violation[];
        const told = found.map(({ id: rule, impact, nodes }) => `${rule} ${impact} ${nodes[0]?.html ?? ''}`);
        expect([path, width, told]).toEqual([path, width, []]);
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
        await page.context().close();
      }
    }
  }, 180_000);

  it.each(Object.entries(SIZES))(
    'do everything by keyboard alone, without JavaScript, on a %s',
    async (_, width) => {
      const id = await reviewed.leaky();
      const url = `/review/outputs/${id}`;
      const page = await opened('/review', { width, javaScriptEnabled: false });
      const { keyboard } = page;
      /** Goes on with the tabulator until this is reached. */
      const reach = async (selector: string): Promise<void> => {
        for (let step = 0; step < 120; step++) {
          if ((await page.locator(`${selector}:focus`).count()) > 0) return;
          await keyboard.press('Tab');
        }
        throw new Error(`${selector} cannot be reached`);
      };
      const pressOn = async (selector: string, key: string): Promise<void> => {
        await reach(selector);
        await keyboard.press(key);
      };
      const followed = async (selector: string): Promise<void> => {
        const arrived = page.waitForNavigation();
        await pressOn(selector, 'Enter');
        await arrived;
      };
      const write = async (selector: string, text: string): Promise<void> => {
        await reach(selector);
        await keyboard.type(text);
      };
      const form = (action: string): string => `form[action="${action}"]`;

      // from the list, past the filters, to the output
      await write('#f-home', 'noamyr');
      await followed('.filter button');
      await followed(`a[href="${url}"]`);
      await write(`${form(`${url}/approve`)} [name=reason]`, 'upstream wrote it');
      await followed(`${form(`${url}/approve`)} button`);
      expect(page.url()).toBe(`${origin}${url}?done=settled`);

      await write('#release-reason', 'looked at it');
      await followed(`${form(`${url}/release`)} button`);
      expect(await page.locator('.notice').textContent()).toContain('Released');

      await pressOn('details:has(#deny-reason) > summary', 'Enter');
      await write('#deny-reason', 'changed my mind');
      await followed(`${form(`${url}/deny`)} button`);
      await pressOn('details:has(#lift-3) > summary', 'Enter');
      await write('#lift-3', 'and again');
      await followed(`${form('/review/decisions/3/lift')} button`);
      expect(page.url()).toBe(`${origin}${url}?done=lifted`);

      await pressOn('details:has(#purge-reason) > summary', 'Enter');
      await write('#purge-reason', 'no room');
      await pressOn('#purge-sure', ' ');
      await followed(`${form(`${url}/purge`)} button`);
      expect(page.url()).toBe(`${origin}${url}?done=purged`);

      await followed('a[href="/review/denials"]');
      await write('#deny-named', '/nix/store/1b8m03r63zqhnjf7l5wnldhh7c134ap5-evil');
      await write('#deny-reason', 'evil');
      await followed(`${form('/review/denials')} button`);
      expect(await events()).toEqual([
        'quarantined',
        'settled',
        'released',
        'denied',
        'lifted',
        'purged',
        'denied',
      ]);
      expect(await reviewed.catalog.approvals()).toHaveLength(1);
      await page.context().close();
    },
    120_000,
  );

  it('run nothing of what was found', async () => {
    const id = await reviewed.leaky();
    const page = await opened(`/review/outputs/${id}`);
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => dialogs.push(dialog.message()));
    await page.reload();
    expect(await page.locator('script').count()).toBe(0);
    expect(dialogs).toEqual([]);
    expect(await page.locator('h3', { hasText: '<script>' }).count()).toBe(1);
    await page.context().close();
  });
});
