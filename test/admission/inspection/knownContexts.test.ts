import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { KnownContexts } from '../../../src/admission/inspection/knownContexts.ts';
import { Inspections } from '../../support/inspections.ts';
import { directory, file, nar } from '../../support/narWriter.ts';
import { serverSettings } from '../../support/serverSettings.ts';

const SETTINGS = serverSettings('/nowhere', { hostHomes: true });

/** A user who has come to this machine. */
const come = (home: string): void => void vi.stubEnv('HOME', home);

beforeEach(() => come('/home/before'));
afterEach(() => void vi.unstubAllEnvs());

it('learns of homes that come to the machine later, under each set of homes, and forgets none', async () => {
  const known = new KnownContexts(SETTINGS);
  expect((await known.of(['/home/alice'])).homes).toEqual(
    expect.arrayContaining(['/home/alice', '/home/before']),
  );
  come('/home/later');
  expect((await known.of(['/home/alice'])).homes).not.toContain('/home/later');
  await known.askAgain();
  come('/home/last');
  await known.askAgain();
  for (const homes of [['/home/alice'], ['/home/bob'], []]) {
    const all = (await known.of(homes)).homes;
    expect(all).toEqual(expect.arrayContaining([...homes, '/home/later', '/home/last']));
    expect(new Set(all).size).toBe(all.length);
  }
  expect((await known.of(['/home/alice'])).homes).toContain('/home/before');
  expect((await known.of(['/home/bob'])).homes).not.toContain('/home/alice');
});

it('has other rules where there is another home, and the same where there is none', async () => {
  const known = new KnownContexts(SETTINGS);
  const rules = await known.rules(['/home/alice']);
  await known.askAgain();
  expect(await known.rules(['/home/alice'])).toBe(rules);
  come('/home/later');
  await known.askAgain();
  expect(await known.rules(['/home/alice'])).not.toBe(rules);
});

it('goes on as it was where the machine cannot be asked', async () => {
  const { policy } = SETTINGS;
  const aliases: string[] = [];
  const known = new KnownContexts({
    ...SETTINGS,
    policy: { ...policy, facts: { ...policy.facts, aliases } },
  });
  const before = await known.of([]);
  aliases.push('none');
  await expect(known.askAgain()).rejects.toMatchObject({ code: 'USAGE_BAD_ALIAS' });
  expect(await known.of([])).toBe(before);
});

it('searches for what has come from then on', async () => {
  await using inspections = new Inspections({ hostHomes: true });
  const { inspector } = inspections;
  const bytes = nar(directory(['x', file('/home/later/src')]));
  const rulesFor = async (): Promise<readonly string[]> => {
    const { facts } = await inspector.nar(
      inspections.file(bytes),
      'nar/x.nar',
      { homes: [], path: null },
      null,
      bytes.length,
    );
    return facts.findings.map(({ rule }) => rule);
  };
  expect(await rulesFor()).toEqual(['foreign-home']);
  come('/home/later');
  await inspector.askAgain();
  expect(await rulesFor()).toEqual(['known-home']);
});
