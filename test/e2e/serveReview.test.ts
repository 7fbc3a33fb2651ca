import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeToken } from '../../src/admission/access/tokens.ts';
import { QUIET_CHROMIUM } from '../support/chromium.ts';
import { CacheServer, nixClient, type ProgramRun } from '../support/cacheServer.ts';
import { needs } from '../support/programs.ts';
import { SymlinkedStore } from '../support/realNix.ts';

describe.skipIf(!needs('nix', 'nix-build', 'chromium'))('what nar-scan serve refused', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nar-scan-review-'));
  const reviewer = makeToken({ name: 'alice', scopes: ['review'], homes: [], expires: null });
  const builder = makeToken({ name: 'builder', scopes: ['read', 'push'], homes: [], expires: null });
  let store: SymlinkedStore;
  let server: CacheServer;
  let browser: Browser;

  beforeAll(async () => {
    store = new SymlinkedStore();
    const tokens = join(folder, 'tokens.toml');
    writeFileSync(tokens, reviewer.entry + builder.entry, { mode: 0o600 });
    writeFileSync(join(folder, 'netrc'), `machine 127.0.0.1 login any password ${builder.secret}\n`);
    const args = ['--home', store.home, '--tokens', tokens];
    server = await CacheServer.start({ storeDir: store.storeDir, args });
    browser = await chromium.launch(QUIET_CHROMIUM);
  });
  afterAll(async () => {
    await browser.close();
    await server[Symbol.asyncDispose]();
    store[Symbol.dispose]();
    rmSync(folder, { recursive: true });
  });

  const copy = async (path: string): Promise<ProgramRun> =>
    await nixClient(
      store.environment,
      'copy',
      '--netrc-file',
      join(folder, 'netrc'),
      '--to',
      server.url,
      path,
    );

  /** The page that the line of a refusal names, as the reviewer sees it. */
  async function pageNamedIn({ stderr }: ProgramRun): Promise<Page> {
    const [path = 'none'] = /\/review\/outputs\/[0-9a-f]{16}/.exec(stderr) ?? [];
    const context = await browser.newContext({
      httpCredentials: { username: 'alice', password: reviewer.secret },
      javaScriptEnabled: false,
    });
    const page = await context.newPage();
    await page.goto(server.url + path);
    return page;
  }

  async function sent(page: Page, action: string, reason: string): Promise<string> {
    const form = page.locator(`form[action$="/${action}"]`);
    await form.locator('[name=reason]').fill(reason);
    await form.locator('button').press('Enter');
    const notice = (await page.locator('.notice').textContent()) ?? '';
    await page.context().close();
    return notice;
  }

  it('is let in after somebody has released it on its page', async () => {
    const path = store.build('leaky', `mkdir $out; echo ${store.home}/src/x.c > $out/leaky`);
    const refused = await copy(path);
    expect(refused.status).toBe(1);
    const page = await pageNamedIn(refused);
    expect(await page.locator('mark').first().textContent()).toBe(store.home);
    expect(await page.locator('h3').allTextContents()).toEqual(['leaky']);
    // a reviewer is no admin
    expect(await page.locator('form[action$="/purge"]').count()).toBe(0);
    expect(await sent(page, 'release', 'the path is harmless')).toContain('Released');
    expect(await copy(path)).toMatchObject({ status: 0 });
  });

  it('was held for a home of others is let in after that is settled, and so is all that follows', async () => {
    const text = 'as in /home/builder42/project/x.c';
    const first = store.build('manual', `mkdir $out; echo '${text}' > $out/manual`);
    const second = store.build('other-manual', `mkdir $out; echo 'other, ${text}' > $out/manual`);
    const held = await copy(first);
    expect(held.stderr).toContain('held for review');
    expect(await sent(await pageNamedIn(held), 'approve', 'upstream wrote it')).toContain('Settled');
    expect(await copy(first)).toMatchObject({ status: 0 });
    expect(await copy(second)).toMatchObject({ status: 0 });
  });

  it('is denied for good, whatever it is sent as', async () => {
    const path = store.build('denied', `mkdir $out; echo ${store.home}/secret > $out/secret`);
    const refused = await copy(path);
    const page = await pageNamedIn(refused);
    await page.locator('details:has(#deny-reason) > summary').press('Enter');
    expect(await sent(page, 'deny', 'it holds a secret')).toContain('Denied');
    const again = await copy(path);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain('denied by alice');
  });

  it('is shown to nobody without a token that may review', async () => {
    const asked = async (secret: string | null): Promise<number> => {
      const authorization = `Basic ${Buffer.from(`any:${secret}`).toString('base64')}`;
      const response = await fetch(`${server.url}/review`, {
        headers: secret === null ? {} : { authorization },
      });
      return response.status;
    };
    expect(await asked(null)).toBe(401);
    // a browser asks for another one then
    expect(await asked(builder.secret)).toBe(401);
    expect(await asked(`${reviewer.secret}x`)).toBe(401);
    expect(await asked(reviewer.secret)).toBe(200);
  });
});
