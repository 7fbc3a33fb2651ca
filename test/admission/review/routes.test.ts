import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditLog } from '../../../src/quarantine/audit.ts';
import { publishedPath } from '../catalog/records.ts';
import { HOSTILE, ReviewedState } from './desk.ts';

let reviewed: ReviewedState;
beforeEach(async () => {
  reviewed = await ReviewedState.open();
});
afterEach(async () => await reviewed[Symbol.asyncDispose]());

const DAY = 86_400_000;
const tomorrow = (): string => new Date(Date.now() + DAY).toISOString().slice(0, 10);

async function page(url: string, status = 200): Promise<string> {
  const answer = await reviewed.app.inject({ url });
  expect([url, answer.statusCode]).toEqual([url, status]);
  return answer.body;
}

/** What a page has in a form that nobody sees. */
async function hiddenOn(url: string, action: string): Promise<Readonly<Record<string, string>>> {
  const body = await page(url);
  const form = body.split('<form').find((text) => text.includes(`action="${action}"`)) ?? '';
  const [own = ''] = form.split('</form>');
  const inputs = own.matchAll(/type="hidden" name="([a-z]+)" value="([^"]+)"/g);
  return Object.fromEntries([...inputs].map(([, name = '', value = '']) => [name, value]));
}

/** The token that a page has for a form. */
async function tokenOn(url: string, action: string): Promise<string> {
  return (await hiddenOn(url, action))['token'] ?? '';
}

async function send(
  action: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: string; location: string | undefined }> {
  const answer = await reviewed.app.inject({
    method: 'POST',
    url: action,
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    payload: new URLSearchParams(fields).toString(),
  });
  return { status: answer.statusCode, body: answer.body, location: answer.headers.location };
}

/** Sends a form as its page has it. */
async function submit(url: string, action: string, fields: Readonly<Record<string, string>>) {
  return await send(action, { ...(await hiddenOn(url, action)), ...fields });
}

async function events(): Promise<readonly string[]> {
  using log = await AuditLog.open(reviewed.state, { actor: 'test' });
  return [...log.trail.records()].map(({ record }) => `${record.event} ${record.actor}`);
}

describe('a page', () => {
  it('loads nothing but the style sheet, runs no script and goes into no frame', async () => {
    const id = await reviewed.leaky();
    for (const url of ['/review', `/review/outputs/${id}`, '/review/trail', '/review/homes', '/review/x']) {
      const { headers, body } = await reviewed.app.inject({ url });
      const isPage = url !== '/review/x';
      if (isPage)
        expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'self';/);
      if (isPage) expect(headers['cache-control']).toBe('no-store');
      expect(body).not.toMatch(/<script|<style|<iframe| style=| on[a-z]+=/i);
    }
    const style = await reviewed.app.inject({ url: '/review/style.css' });
    expect(style.headers['content-type']).toContain('text/css');
    expect(style.body).not.toMatch(/url\(|@import/);
  });

  it('is nobody’s who may not review', async () => {
    const id = await reviewed.leaky();
    reviewed.scopes = ['read', 'push'];
    for (const url of [
      '/review',
      '/review/style.css',
      `/review/outputs/${id}`,
      '/review/trail',
      '/review/denials',
    ]) {
      await page(url, 403);
    }
    for (const action of [`/review/outputs/${id}/release`, '/review/denials', '/review/decisions/1/lift']) {
      expect((await send(action, { reason: 'x' })).status).toBe(403);
    }
    expect(await events()).toEqual(['quarantined builder']);
  });

  it('shows what was found, whatever its names are, and never as a part of the page', async () => {
    const id = await reviewed.leaky();
    const body = await page(`/review/outputs/${id}`);
    expect(body).toContain('&quot;&gt;&lt;script&gt;alert(1)');
    expect(body).toContain(String.raw`\u{202e}`);
    expect(body).not.toContain(HOSTILE.slice(0, 12));
    expect(body).toContain('doc/&lt;b&gt;.txt');
    expect(body).toContain('<mark>/home/noamyr</mark>');
    expect(body).toContain('write a path relative to $out');
  });

  it('says of what has no store path yet what it was sent as, what it holds, and where the same was refused', async () => {
    const sentAs = `nar/${HOSTILE}.nar.xz`;
    const id = await reviewed.nameless(sentAs);
    const facts = async (): Promise<readonly string[]> => {
      const [, text = ''] = (await page(`/review/outputs/${id}`)).split('<dl');
      expect(text).not.toContain(HOSTILE.slice(0, 12));
      return [...text.matchAll(/<dt>([^]*?)<\/dt>\s*<dd>([^]*?)<\/dd>/g)].map(
        ([, name, value = '']) =>
          `${name}: ${value
            .replaceAll(/<[^>]*>|\s+/g, ' ')
            .replaceAll(/ +/g, ' ')
            .trim()}`,
      );
    };
    const named = await facts();
    expect(named).toContain('Store path: nobody has told it');
    expect(named).toContain(
      'Sent as: nar/&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;amp;&#39;\\u{202e}txt.nar.xz',
    );
    const held = 'Holds: bin/ bin/hello lib/ lib/libhello.so lib/plugins share/ share/&quot;&gt;&lt;script';
    expect(named.find((fact) => fact.startsWith('Holds'))).toContain(held);
    expect(named.find((fact) => fact.startsWith('Holds'))).not.toContain('manual');
    const known = await reviewed.leaky();
    expect((await facts()).find((fact) => fact.startsWith('Refused with'))).toMatch(/- hello-2\.12$/);
    expect(await page(`/review/outputs/${known}`)).not.toContain('Holds');
    // the NAR is gone, and then all of it
    await reviewed.desk.purge(id, { actor: 'alice', reason: 'no room' }, false);
    expect((await facts()).map((fact) => fact.split(':')[0])).toContain('Sent as');
    await reviewed.desk.purge(id, { actor: 'alice', reason: 'no room' }, true);
    expect((await facts()).map((fact) => fact.split(':')[0])).not.toContain('Sent as');
  });

  it('shows bytes of the kept NAR, and those of the evidence where it was purged', async () => {
    const id = await reviewed.leaky();
    const kept = await page(`/review/outputs/${id}`);
    // UTF-16 in a library, with what stands before it
    expect(kept).toContain('<mark>2f 00 68 00 6f 00 6d 00 65 00 2f 00 6e 00 6f 00</mark>');
    expect(kept).toContain('Bytes of the file');
    await reviewed.desk.purge(id, { actor: 'alice', reason: 'no room' }, false);
    const purged = await page(`/review/outputs/${id}`);
    expect(purged).not.toContain('Bytes of the file');
    expect(purged).toContain('Bytes, decoded from utf16le');
    await reviewed.desk.purge(id, { actor: 'alice', reason: 'no room' }, true);
    expect(await page(`/review/outputs/${id}`)).toContain('What was found was taken away with it');
  });

  it('shows bytes of the evidence where the kept NAR is damaged', async () => {
    const id = await reviewed.leaky();
    const file = join(reviewed.state, 'quarantine', id, 'output.nar.zst');
    rmSync(file);
    writeFileSync(file, 'no NAR at all');
    expect(await page(`/review/outputs/${id}`)).toContain('Bytes, decoded from utf16le');
  });

  it('lists what fits all filters, the latest first', async () => {
    await reviewed.small('one', '/home/alice');
    await reviewed.small('two');
    await reviewed.incomplete('three');
    const denied = await reviewed.small('four');
    await reviewed.desk.deny(denied, { actor: 'alice', reason: 'no' });
    const listed = async (query: string): Promise<readonly string[]> => {
      const body = await page(`/review?${query}`);
      return [...body.matchAll(/<\/span\s*>(one|two|three|four)<\/span/g)].map(([, name = '']) => name);
    };
    expect(await listed('')).toEqual(['four', 'three', 'two', 'one']);
    expect(await listed('home=alice')).toEqual(['one']);
    expect(await listed('verdict=incomplete')).toEqual(['three']);
    expect(await listed('rule=known-home&standing=undecided')).toEqual(['two', 'one']);
    expect(await listed('standing=denied')).toEqual(['four']);
    expect(await listed('text=-two&age=24h')).toEqual(['two']);
    expect(await listed('text=nothing')).toEqual([]);
    reviewed.later = 2 * DAY;
    expect(await listed('age=24h')).toEqual([]);
    expect(await listed('age=7d')).toHaveLength(4);
    reviewed.later = 0;
    expect(await listed('rule=no-rule&verdict=<script>&age=1&before=x&text=a&text=b')).toHaveLength(4);
  });

  it('lists page by page', async () => {
    for (let each = 0; each < 53; each++) await reviewed.small(`thing-${each}`);
    const seen: string[] = [];
    for (let url: string | undefined = '/review?home=noamyr'; url !== undefined;) {
      const body = await page(url);
      seen.push(...[...body.matchAll(/\/review\/outputs\/([0-9a-f]{16})"/g)].map(([, id = '']) => id));
      url = /<a href="([^"]+)">Older/.exec(body)?.[1]?.replaceAll('&amp;', '&');
      if (url !== undefined) expect(url).toContain('home=noamyr');
    }
    expect(new Set(seen).size).toBe(53);
    expect(seen).toHaveLength(53);
    const trail = await page('/review/trail');
    const older = /<a href="([^"]+)">Older/.exec(trail)?.[1] ?? '';
    expect((await page(older)).match(/class="row"/g)).toHaveLength(3);
  });

  it('shows what is published and not served apart from what is served', async () => {
    for (const name of ['one', 'two']) await reviewed.catalog.publish(publishedPath(name));
    await reviewed.catalog.publish({ ...publishedPath('three'), verdict: 'contaminated' });
    await reviewed.catalog.publish({ ...publishedPath('four'), verdict: 'incomplete' });
    await reviewed.desk.deny(publishedPath('one').narHash, { actor: 'alice', reason: 'no' });
    const shown = async (): Promise<readonly (readonly string[])[]> =>
      (await page('/review/published')).split('<h2').map((part) => {
        const rows = [...part.matchAll(/class="badge [a-z]+">([a-z]+)<[^]*?-<\/span\s*>([a-z]+)</g)];
        return rows.map(([, standing, name]) => `${name} ${standing}`).toSorted();
      });
    const unserved = ['four incomplete', 'one denied', 'three contaminated'];
    expect(await shown()).toEqual([[], ['two clean'], unserved]);
    expect(await page('/review/published')).not.toContain(`${publishedPath('three').hashPart}.narinfo`);
    reviewed.dryRun = true;
    expect(await shown()).toEqual([[], [...unserved, 'two clean']]);
  });

  it('says that something was done only where a form may have done it', async () => {
    expect(await page('/review?done=lifted')).toContain('<p class="notice" role="status">Lifted.</p>');
    for (const done of ['constructor', 'toString', '__proto__', 'other', 'lifted&done=denied', ''])
      expect(await page(`/review?done=${done}`)).not.toContain('role="status"');
  });

  it('tells of what is not there, and of what is damaged', async () => {
    for (const id of ['0000000000000000', 'x', '..%2f..%2fetc', '%00']) {
      expect(await page(`/review/outputs/${id}`, 404)).toContain('role="alert"');
    }
    expect(reviewed.failures).toEqual([]);
    await reviewed.small('one');
    writeFileSync(join(reviewed.state, 'audit.jsonl'), 'nothing of a trail\n');
    expect(await page('/review', 500)).toContain('nothing is let through');
    expect(reviewed.failures).toHaveLength(1);
  });
});

describe('a form', () => {
  it('releases, and what is released is said to be', async () => {
    const id = await reviewed.small('one');
    const url = `/review/outputs/${id}`;
    const sent = await submit(url, `${url}/release`, { reason: 'a comment <b>', expires: tomorrow() });
    expect(sent).toMatchObject({ status: 303, location: `${url}?done=released` });
    expect(await events()).toEqual(['quarantined builder', 'released alice']);
    const body = await page(sent.location ?? '');
    expect(body).toContain('role="status"');
    expect(body).toContain('a comment &lt;b&gt;');
    // another release takes its place; the same is none
    await submit(url, `${url}/release`, { reason: 'better', expires: '' });
    await submit(url, `${url}/release`, { reason: 'better', expires: '' });
    expect((await events()).slice(2)).toEqual(['lifted alice', 'released alice']);
  });

  it('releases what its page has shown, and nothing that was found since', async () => {
    const id = await reviewed.small('one');
    const url = `/review/outputs/${id}`;
    const shown = await hiddenOn(url, `${url}/release`);
    // the same content, refused for another home
    expect(await reviewed.small('one', '/home/alice')).toBe(id);
    for (const fields of [shown, { token: shown['token'] ?? '' }]) {
      const { status, body } = await send(`${url}/release`, { ...fields, reason: 'looked at it' });
      expect([status, body]).toEqual([409, expect.stringContaining('/home/alice')]);
      expect(body).toContain('refused for something else since');
    }
    expect(await events()).toEqual(['quarantined builder', 'quarantined builder']);
    expect((await submit(url, `${url}/release`, { reason: 'looked again' })).status).toBe(303);
  });

  it('denies, lifts and purges', async () => {
    const id = await reviewed.small('one');
    const url = `/review/outputs/${id}`;
    expect(await submit(url, `${url}/deny`, { reason: 'secret' })).toMatchObject({
      location: `${url}?done=denied`,
    });
    expect(await page(url)).not.toContain(`${url}/release`);
    const released = await send(`${url}/release`, { reason: 'x' });
    expect(released.status).toBe(403);
    const lift = '/review/decisions/2/lift';
    expect(await submit(url, lift, { reason: 'wrong one', output: id })).toMatchObject({
      location: `${url}?done=lifted`,
    });
    const purge = { reason: 'no room', what: 'nar', sure: 'yes' };
    expect(await submit(url, `${url}/purge`, purge)).toMatchObject({ location: `${url}?done=purged` });
    expect(await events()).toEqual(['quarantined builder', 'denied alice', 'lifted alice', 'purged alice']);
    expect(await page('/review/trail')).toContain('lifted by record 3');
  });

  it('denies what is not in quarantine', async () => {
    const part = '1b8m03r63zqhnjf7l5wnldhh7c134ap5';
    const named = `/nix/store/${part}-evil`;
    expect(await submit('/review/denials', '/review/denials', { named, reason: 'no' })).toMatchObject({
      status: 303,
    });
    expect(await page('/review/denials')).toContain('evil');
    expect((await submit('/review/denials', '/review/denials', { named: 'a/b', reason: 'no' })).status).toBe(
      400,
    );
    expect(await submit('/review/denials', '/review/decisions/1/lift', { reason: 'yes' })).toMatchObject({
      location: '/review/denials?done=lifted',
    });
  });

  it('settles a home of others that was found, once, and no other', async () => {
    const id = await reviewed.leaky();
    const url = `/review/outputs/${id}`;
    const home = '/home/builder42';
    const token = await tokenOn(url, `${url}/approve`);
    for (const other of ['/home/noamyr', '/home/builder4', '/']) {
      expect((await send(`${url}/approve`, { token, home: other, reason: 'x' })).status).toBe(400);
    }
    expect((await send(`${url}/approve`, { token, home, reason: 'upstream' })).status).toBe(303);
    expect(await reviewed.catalog.approvals()).toMatchObject([{ home, reason: 'upstream', actor: 'alice' }]);
    const body = await page(url);
    expect(body).toContain('settled by alice');
    expect(body).not.toContain(`${url}/approve`);
    expect(await page('/review/homes')).toContain(home);
    expect(await page('/review/trail')).toMatch(new RegExp(`settled[^]*${home}, found in ${id}: upstream`));
  });

  it('of another server, caller or form changes nothing', async () => {
    const id = await reviewed.small('one');
    const url = `/review/outputs/${id}`;
    const hidden = await hiddenOn(url, `${url}/release`);
    const { token } = hidden;
    const fields = { ...hidden, reason: 'x' };
    for (const headers of [{ origin: 'https://evil.example' }, { 'sec-fetch-site': 'cross-site' }]) {
      expect((await send(`${url}/release`, fields, headers)).status).toBe(403);
    }
    expect((await send(`${url}/release`, { reason: 'x' })).status).toBe(403);
    expect((await send(`${url}/deny`, fields)).status).toBe(403);
    expect((await send(`${url}/release?x`, { ...fields, token: `${token}x` })).body).toContain(
      'role="alert"',
    );
    expect(await events()).toEqual(['quarantined builder']);
    expect(
      (await send(`${url}/release`, fields, { origin: 'http://localhost:80', host: 'localhost:80' })).status,
    ).toBe(403);
    expect(
      (await send(`${url}/release`, fields, { origin: 'http://localhost', host: 'localhost' })).status,
    ).toBe(303);
  });

  it('that is not as it should be says what is wrong, on its page, and changes nothing', async () => {
    const id = await reviewed.small('one');
    const url = `/review/outputs/${id}`;
    const cases: readonly (readonly [action: string, fields: Record<string, string>, text: string])[] = [
      ['release', {}, 'a reason is missing'],
      ['release', { reason: '   ' }, 'a reason is missing'],
      ['release', { reason: 'x'.repeat(1001) }, 'longer than 1000'],
      ['release', { reason: 'x', expires: '2020-01-01' }, 'not in the future'],
      ['release', { reason: 'x', expires: '2026-13-45' }, 'no day'],
      ['deny', { reason: '' }, 'a reason is missing'],
      ['purge', { reason: 'x', what: 'nar' }, 'cannot be had back'],
      ['purge', { reason: 'x', sure: 'yes' }, 'what is to go'],
    ];
    for (const [action, fields, text] of cases) {
      const { status, body } = await submit(url, `${url}/${action}`, fields);
      expect([action, status]).toEqual([action, 400]);
      expect(body).toContain(text);
      // the page itself, with its forms
      expect(body).toContain(`action="${url}/release"`);
    }
    expect(await events()).toEqual(['quarantined builder']);
    expect((await send(`${url}/release`, { reason: 'x'.repeat(20_000) })).status).toBe(413);
    // whose fields may be anything
    const payload = { token: await tokenOn(url, `${url}/deny`), reason: 5 };
    const json = await reviewed.app.inject({ method: 'POST', url: `${url}/deny`, payload });
    expect(json.statusCode).toBe(415);
  });

  it('purges for an admin alone', async () => {
    const id = await reviewed.small('one');
    const url = `/review/outputs/${id}`;
    const token = await tokenOn(url, `${url}/purge`);
    reviewed.scopes = ['read', 'review'];
    expect(await page(url)).not.toContain('/purge');
    expect((await send(`${url}/purge`, { token, reason: 'x', what: 'nar', sure: 'yes' })).status).toBe(403);
    expect(await events()).toEqual(['quarantined builder']);
  });
});
