import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/cli/arguments.ts';
import { runOnQuarantine } from '../../../src/cli/commands/quarantine/run.ts';
import { AuditLog } from '../../../src/quarantine/audit.ts';
import { contentName } from '../../../src/nix/narHash.ts';
import { Quarantine } from '../../../src/quarantine/store/quarantine.ts';
import { asNobody } from '../../support/asNobody.ts';
import { refusedAt, storePathNamed } from '../../support/refused.ts';

const HELLO = storePathNamed('hello');
const WORLD = storePathNamed('world');

let folder: string;
let state: string;
let hello: string;
let world: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-quarantine-'));
  state = join(folder, 'state');
  mkdirSync(state, { mode: 0o700 });
  hello = await keep('hello', ['/home/noamyr']);
  world = await keep('world', ['/home/alice', '/home/noamyr']);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** @returns its id */
async function keep(name: string, homes: readonly string[]): Promise<string> {
  const path = join(folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'file0'), `${name} is built at ${homes.join()}`);
  return await refuse(name, homes);
}

async function refuse(name: string, homes: readonly string[]): Promise<string> {
  using log = await AuditLog.open(state, { actor: 'builder@host' });
  const settings = { keep: true, bytes: 1 << 30, full: 'refuse' } as const;
  const { id } = await new Quarantine(log, settings).keep(refusedAt(join(folder, name), name, homes));
  return id;
}

/** What a command prints. */
async function nar(...words: readonly string[]): Promise<string> {
  let text = '';
  const environment = { NAR_SCAN_STATE: state, NAR_SCAN_CONFIG: '/dev/null', SUDO_USER: 'alice' };
  await runOnQuarantine(readArguments(words), environment, (piece) => (text += piece));
  return text;
}

const code = (wanted: string, message = /./) =>
  expect.objectContaining({ code: wanted, message: expect.stringMatching(message) });

const listed = async (...words: readonly string[]) =>
  [...(await nar('quarantine', 'list', ...words)).matchAll(/-(hello|world) /g)].map(([, name]) => name);

describe('quarantine list', () => {
  it('is a line an output, the oldest first', async () => {
    const lines = (await nar('quarantine', 'list')).split('\n');
    expect(lines[0]).toMatch(new RegExp(`^${hello} .*${HELLO} .*contaminated; known-home; kept [0-9]+ B`));
    expect(lines[1]).toContain(world);
    expect(lines).toHaveLength(3);
  });

  it('can be filtered by path, home, rule and age', async () => {
    expect(await listed('--path', '*-hello')).toEqual(['hello']);
    expect(await listed('--path', '/nix/store/*')).toEqual(['hello', 'world']);
    expect(await listed('--home', '/home/alice')).toEqual(['world']);
    expect(await listed('--home=/home/alice', '--home=/home/noamyr', '--rule=known-home')).toHaveLength(2);
    expect(await listed('--rule', 'store-alias')).toEqual([]);
    expect(await listed('--since', '1h')).toHaveLength(2);
    expect(await listed('--since', '2999-01-01')).toEqual([]);
  });

  it('can be JSON, one document a line', async () => {
    const [first] = (await nar('quarantine', 'list', '--json')).split('\n').slice(0, -1);
    expect(JSON.parse(first ?? '')).toMatchObject({
      id: hello,
      storePath: HELLO,
      decision: null,
      rules: ['known-home'],
    });
  });

  it('is empty without any state, and makes none', async () => {
    rmSync(state, { recursive: true });
    expect(await nar('quarantine', 'list')).toBe('');
    expect(await nar('audit', 'list')).toBe('');
    await expect(nar('audit', 'verify')).rejects.toMatchObject({
      code: 'AUDIT_MISSING',
      message: `there is no audit trail in '${state}'`,
    });
    expect(() => readFileSync(join(state, 'audit.lock'))).toThrow('ENOENT');
  });
});

describe('quarantine show', () => {
  it('is the report for people, or the JSON report', async () => {
    expect(await nar('quarantine', 'show', world.slice(0, 8))).toMatch(
      /contaminated .*-world\n[^]*\/home\/alice/,
    );
    expect(JSON.parse(await nar('quarantine', 'show', world, '--json'))).toMatchObject({
      schema: 'nar-scan/report-v1',
      outputs: [{ storePath: WORLD }],
    });
  });

  it('says what was lost', async () => {
    rmSync(join(state, 'quarantine', world), { recursive: true });
    await expect(nar('quarantine', 'show', world)).rejects.toEqual(code('QUARANTINE_UNKNOWN', /there is no/));
    mkdirSync(join(state, 'quarantine', world));
    writeFileSync(join(state, 'quarantine', world, 'facts'), '{}');
    await expect(nar('quarantine', 'show', world)).rejects.toEqual(code('STATE_UNREADABLE', /damaged/));
  });
});

describe('what a person decides', () => {
  it('needs a reason, and is in the trail with who decided', async () => {
    for (const command of ['release', 'deny']) {
      await expect(nar('quarantine', command, hello)).rejects.toEqual(
        code('USAGE_MISSING_VALUE', /--reason/),
      );
    }
    await nar('quarantine', 'release', hello, '--reason', 'known', '--expires', '30d');
    await nar('quarantine', 'deny', world, '--reason', 'bad', '--by', 'noamyr');
    expect(await nar('quarantine', 'list')).toMatch(
      /\(released by alice@\S+ until \S+ \(record 3\): known; [^]*\(denied by noamyr \(record 4\): bad; /,
    );
    expect(await nar('audit', 'list')).toMatch(
      /3 .*alice@.*released .*-hello until .*: known\n4 .* noamyr {2}denied .*: bad\n$/,
    );
    expect(await nar('audit', 'verify')).toMatch(/4 records, the last is [0-9a-f]{64}\n$/);
  });

  it('can be taken back; a release does not count against a denial', async () => {
    await nar('quarantine', 'deny', HELLO, '--reason', 'bad');
    await expect(nar('quarantine', 'release', hello, '--reason', 'good')).rejects.toEqual(
      code('QUARANTINE_NOT_RELEASABLE', /denied/),
    );
    await nar('quarantine', 'lift', '3', '--reason', 'by mistake');
    expect(await nar('quarantine', 'release', hello, '--reason', 'good')).toMatch(
      /in spite of 1 finding \(record 5\)/,
    );
    await expect(nar('quarantine', 'lift', '3', '--reason', 'x')).rejects.toEqual(code('DECISION_UNKNOWN'));
    await expect(nar('quarantine', 'lift', 'x', '--reason', 'x')).rejects.toEqual(code('QUARANTINE_UNKNOWN'));
  });

  it('is listed where its path was never in quarantine, too, with the record that lift needs', async () => {
    const other = storePathNamed('other');
    await nar('quarantine', 'deny', other, '--reason', 'bad');
    await nar('quarantine', 'deny', HELLO, '--reason', 'worse');
    const lines = (await nar('quarantine', 'list')).split('\n').slice(0, -1);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('(record 4): worse; ');
    expect(lines[2]).toMatch(/^- .*-other {2}\(denied by alice@\S+ \(record 3\): bad\)$/);
    expect(await nar('quarantine', 'list', '--path', '*-hello')).not.toContain('-other');
    const json = (await nar('quarantine', 'list', '--json', '--path', '*-other')).trim();
    expect(JSON.parse(json)).toMatchObject({
      id: null,
      storePath: other,
      decision: 'denied',
      decided: { record: 3, reason: 'bad', expires: null },
    });
    await nar('quarantine', 'lift', other, '--reason', 'by mistake');
    expect(await nar('quarantine', 'list')).not.toContain('-other');
    expect(await nar('audit', 'list')).toMatch(/ denied .*-other: bad \(lifted by record 5\)\n/);
  });

  it('is shown with the output', async () => {
    await nar('quarantine', 'release', hello, '--reason', 'known', '--expires', '2999-01-01');
    expect(await nar('quarantine', 'show', hello)).toMatch(
      /^.* in quarantine since .*\nreleased by alice@\S+ until 2999-01-01T00:00:00.000Z \(record 3\): known\n/,
    );
    await nar('quarantine', 'deny', hello, '--reason', 'bad');
    expect(await nar('quarantine', 'show', hello)).toMatch(
      /\ndenied by alice@\S+ \(record 4\): bad\nreleased /,
    );
  });

  it('is made once: a release that says the same is none, another takes its place', async () => {
    await nar('quarantine', 'release', hello, '--reason', 'known');
    const before = await nar('audit', 'list');
    expect(await nar('quarantine', 'release', hello, '--reason', 'known')).toMatch(
      /-hello is released by alice@\S+ \(record 3\): known already\n$/,
    );
    expect(await nar('audit', 'list')).toBe(before);
    expect(await nar('quarantine', 'release', hello, '--reason', 'better')).toMatch(
      /\(record 5, instead of record 3\)\n$/,
    );
    expect(await nar('quarantine', 'lift', '5', '--reason', 'x')).toMatch(/^lifted: .*\(by record 6\)\n$/);
    expect(await nar('quarantine', 'list')).not.toContain('released');
  });

  it('is taken back one by one, and what still counts is named; or all of it', async () => {
    await nar('quarantine', 'deny', hello, '--reason', 'one');
    await nar('quarantine', 'deny', HELLO, '--reason', 'two');
    expect(await nar('quarantine', 'lift', '4', '--reason', 'x')).toMatch(
      /^lifted: .*\nstill counts: .*-hello denied by \S+ \(record 3\): one\n$/,
    );
    await nar('quarantine', 'deny', HELLO, '--reason', 'two');
    const all = await nar('quarantine', 'lift', hello.slice(0, 8), '--reason', 'x');
    expect(all.match(/^lifted: /gm)).toHaveLength(2);
    expect(all).not.toContain('still counts');
    await expect(nar('quarantine', 'lift', hello, '--reason', 'x')).rejects.toEqual(code('DECISION_UNKNOWN'));
  });

  it('is taken back as a whole: releases of what lay at a store path before, and of a content under other names', async () => {
    const reason = ['--reason', 'known'];
    await nar('quarantine', 'release', HELLO, ...reason);
    rmSync(join(folder, 'hello'), { recursive: true });
    const other = await keep('hello', ['/home/noamyr', '/home/alice']);
    expect(other).not.toBe(hello);
    await nar('quarantine', 'release', other, ...reason);
    const counting = async () => (await nar('quarantine', 'list')).match(/-\S+ {2}\(released/g)?.length ?? 0;
    expect(await counting()).toBe(2);
    const all = await nar('quarantine', 'lift', HELLO.slice('/nix/store/'.length), '--reason', 'seen');
    expect(all.match(/^lifted: .*-hello released/gm)).toHaveLength(2);
    expect(await counting()).toBe(0);

    await nar('quarantine', 'release', hello, ...reason);
    await nar('quarantine', 'release', other, ...reason);
    expect((await nar('quarantine', 'lift', other, ...reason)).match(/^lifted: /gm)).toHaveLength(1);
    expect(await counting()).toBe(1);
    const [first] = (await nar('quarantine', 'list', '--json')).split('\n');
    const { narHash } = JSON.parse(first ?? '');
    expect(await nar('quarantine', 'lift', narHash, ...reason)).toMatch(/^lifted: .*-hello released .*\n$/);
    expect(await counting()).toBe(0);
  });

  it('takes ids, store paths that may be gone, and several outputs to release', async () => {
    expect(await nar('quarantine', 'show', HELLO)).toContain(`${hello}: in quarantine`);
    const said = await nar('quarantine', 'release', HELLO, world, HELLO, '--reason', 'known');
    expect(said).toMatch(/-hello, .*\(record 3\)\n.*-world, in spite of 2 findings \(record 4\)\n$/);
    await nar('quarantine', 'deny', world, '--reason', 'bad');
    const before = await nar('audit', 'list');
    const asked = nar('quarantine', 'release', hello, WORLD, '--reason', 'other');
    await expect(asked).rejects.toEqual(code('QUARANTINE_NOT_RELEASABLE', /-world is denied by .*record 5/));
    expect(await nar('audit', 'list')).toBe(before);
    await expect(nar('quarantine', 'deny', folder, '--reason', 'x')).rejects.toEqual(
      code('PATH_NOT_IN_STORE'),
    );
  });

  it('must not have expired before it counts', async () => {
    for (const when of ['2020-01-01', '0d']) {
      await expect(nar('quarantine', 'release', hello, '--reason=x', '--expires', when)).rejects.toEqual(
        code('USAGE_BAD_VALUE', /not in the future/),
      );
    }
  });

  it('shows no control character of what was said', async () => {
    await nar('quarantine', 'deny', hello, '--reason', 'a\u001b[31m\nb');
    expect(await nar('audit', 'list')).toContain('a\\x1b[31m\\nb\n');
  });
});

describe('quarantine purge and export', () => {
  it('export the NAR that was scanned, and purge it', async () => {
    const file = join(folder, 'hello.nar');
    expect(await nar('quarantine', 'export', hello, file)).toMatch(
      /^exported .*-hello to .*hello.nar, [0-9]+ B\n$/,
    );
    expect(readFileSync(file, 'latin1')).toContain('nix-archive-1');
    await expect(nar('quarantine', 'export', hello, file)).rejects.toEqual(
      code('QUARANTINE_NOT_EXPORTED', /there already/),
    );
    expect(await nar('audit', 'list')).toMatch(/^(?:.*\n){2}.* exported .*\n$/);
    const packed = `${file}.zst`;
    await nar('quarantine', 'export', HELLO, packed, '--zstd');
    expect(readFileSync(packed).readUInt32LE()).toBe(0xfd2fb528);
    expect(await nar('quarantine', 'purge', hello)).toMatch(/purged 1 output, [0-9]+ B/);
    expect(await nar('quarantine', 'purge', hello)).toMatch(/purged 0 outputs/);
    await expect(nar('quarantine', 'export', hello, `${file}.again`)).rejects.toEqual(
      code('QUARANTINE_UNKNOWN', /not kept/),
    );
    expect(await nar('quarantine', 'purge', HELLO, '--findings')).toMatch(/purged 1 output, /);
    expect(existsSync(join(state, 'quarantine', hello))).toBe(false);
    expect(await listed()).toEqual(['hello', 'world']);
    expect(await nar('quarantine', 'purge', '--older-than', '0m')).toMatch(/purged 1 output/);
  });

  it('does not give what was damaged, nor half a file', async () => {
    const kept = join(state, 'quarantine', hello, 'output.nar.zst');
    const bytes = readFileSync(kept);
    for (const damaged of [
      bytes.subarray(0, -9),
      Buffer.concat([bytes, bytes]),
      Buffer.alloc(9),
      Buffer.alloc(0),
    ]) {
      writeFileSync(kept, damaged);
      const file = join(folder, 'out');
      await expect(nar('quarantine', 'export', hello, file)).rejects.toEqual(code('QUARANTINE_DAMAGED'));
      expect(() => readFileSync(file)).toThrow('ENOENT');
    }
    writeFileSync(kept, bytes);
    await expect(nar('quarantine', 'export', hello, '/nowhere/file')).rejects.toEqual(
      code('QUARANTINE_NOT_EXPORTED', /to '\/nowhere\/file': ENOENT$/),
    );
  });

  it('takes ids or an age', async () => {
    for (const words of [[], [hello, '--older-than', '1d']]) {
      await expect(nar('quarantine', 'purge', ...words)).rejects.toEqual(code('USAGE_BAD_VALUE'));
    }
    await expect(nar('quarantine', 'export', hello)).rejects.toEqual(code('USAGE_BAD_VALUE'));
  });
});

describe('an id that means nothing', () => {
  it('is one line that says where it was looked for, whatever is asked', async () => {
    for (const command of ['show', 'release', 'deny', 'purge', 'export']) {
      const file = command === 'export' ? ['-'] : [];
      const reason = command === 'release' || command === 'deny' ? ['--reason=x'] : [];
      const asked = nar('quarantine', command, 'ffff0000', ...file, ...reason);
      await expect(asked).rejects.toEqual(
        code('QUARANTINE_UNKNOWN', new RegExp(`'ffff0000' \\(in ${state}\\)$`)),
      );
    }
  });
});

describe('a state that cannot be used', () => {
  it('is an error, as is a trail that was edited', async () => {
    const trail = join(state, 'audit.jsonl');
    writeFileSync(trail, readFileSync(trail, 'utf8').replace('noamyr', 'nobody'));
    for (const words of [
      ['audit', 'verify'],
      ['audit', 'list'],
      ['quarantine', 'list'],
      ['quarantine', 'deny', hello, '--reason=x'],
    ]) {
      await expect(nar(...words)).rejects.toEqual(code('AUDIT_BROKEN', /line 1/));
    }
    chmodSync(state, 0o770);
    await expect(nar('quarantine', 'list')).rejects.toEqual(code('STATE_UNSAFE'));
  });

  it.skipIf(process.geteuid?.() !== 0)('belongs to nobody else', async () => {
    chmodSync(folder, 0o755);
    await asNobody(async () => {
      await expect(nar('quarantine', 'list')).rejects.toEqual(
        expect.objectContaining({ code: expect.stringMatching(/^STATE_/) }),
      );
    });
  });
});

describe('audit list', () => {
  it('has the hash of each record, which the next one names, and may begin at a day', async () => {
    const records = (await nar('audit', 'list', '--json'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(records[1].prev).toBe(records[0].hash);
    expect(await nar('audit', 'verify')).toContain(records[1].hash);
    expect(await nar('audit', 'list', '--since', '2999-01-01')).toBe('');
    expect((await nar('audit', 'list', '--since', '1h')).trim().split('\n')).toHaveLength(2);
  });

  describe('of some outputs', () => {
    /** The numbers of the records that are listed. */
    const numbers = async (...words: readonly string[]) =>
      [...(await nar('audit', 'list', ...words)).matchAll(/^[0-9]+/gm)].map(([number]) => Number(number));

    beforeEach(async () => {
      // 1 and 2: hello and world were quarantined
      await nar('quarantine', 'release', hello, '--reason', 'known');
      await nar('quarantine', 'deny', world, '--reason', 'bad');
      await nar('quarantine', 'lift', '3', '--reason', 'by mistake');
      await nar('quarantine', 'purge', hello, '--reason', 'seen');
    });

    it('has all that happened to them, what was taken back of it among it', async () => {
      expect(await numbers()).toEqual([1, 2, 3, 4, 5, 6]);
      for (const glob of ['*-hello', HELLO, '/nix/store/*-hello', '**/*-hell?']) {
        expect(await numbers('--path', glob)).toEqual([1, 3, 5, 6]);
      }
      expect(await numbers('--path', '*-world')).toEqual([2, 4]);
      expect(await numbers('--path', '*-none')).toEqual([]);
    });

    it('may be those in which a home leaked, or a rule was broken', async () => {
      expect(await numbers('--home', '/home/alice')).toEqual([2, 4]);
      expect(await numbers('--home', '/home/noamyr')).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await numbers('--home', '/home/noamyr', '--path', '*-hello')).toEqual([1, 3, 5, 6]);
      expect(await numbers('--rule', 'known-home', '--home', '/home/alice')).toEqual([2, 4]);
      expect(await numbers('--rule', 'store-alias')).toEqual([]);
      expect(await numbers('--path', '*-hello', '--since', '2999-01-01')).toEqual([]);
    });

    it('has the denials of their content, and of their path by its last part', async () => {
      const { narHash } = JSON.parse((await nar('quarantine', 'list', '--json')).split('\n')[0] ?? '');
      await nar('quarantine', 'deny', narHash, '--reason', 'content');
      await nar('quarantine', 'deny', HELLO.replace('/nix/store/', ''), '--reason', 'last part');
      await nar('quarantine', 'lift', '7', '--reason', 'by mistake');
      expect(await numbers('--path', HELLO)).toEqual([1, 3, 5, 6, 7, 8, 9]);
      // a content may be denied before anybody knows whose it is
      rmSync(state, { recursive: true });
      mkdirSync(state, { mode: 0o700 });
      await nar('quarantine', 'deny', narHash, '--reason', 'content');
      await refuse('hello', ['/home/noamyr']);
      expect(await numbers('--path', HELLO)).toEqual([1, 2]);
    });
  });
});

describe('content whose store path nobody has told', () => {
  /** @returns its id */
  async function keepContent(narHash: string | null): Promise<{ id: string; name: string }> {
    const refused = refusedAt(join(folder, 'hello'), 'hello');
    const name = contentName(narHash ?? 'sha256:none');
    const facts = { ...refused.facts, target: name, storePath: null, narHash };
    const result = { ...refused.result, target: name, storePath: null, narHash };
    using log = await AuditLog.open(state, { actor: 'server@host' });
    const settings = { keep: true, bytes: 1 << 30, full: 'refuse' } as const;
    const { id } = await new Quarantine(log, settings).keep({ ...refused, storePath: name, facts, result });
    return { id, name };
  }
  const contentOf = (): string => refusedAt(join(folder, 'hello'), 'hello').facts.narHash ?? '';

  it('goes by the name of its NAR', async () => {
    const { id, name } = await keepContent(contentOf());
    expect(await nar('quarantine', 'list', '--path', 'nar/*')).toMatch(
      new RegExp(`^${id} .*${name}  \\(contaminated; known-home; kept`),
    );
    expect(await nar('quarantine', 'show', name)).toContain(`contaminated ${name}`);
    expect(await nar('quarantine', 'release', name, '--reason', 'known')).toMatch(
      `released ${name}, in spite of 1 finding`,
    );
    expect(await nar('quarantine', 'list')).toMatch(new RegExp(`${name}  \\(released by alice@`));
    expect(await nar('quarantine', 'export', name, join(folder, 'out.nar'))).toContain(`exported ${name}`);
    expect(await nar('quarantine', 'purge', name)).toMatch(/^purged 1 output/);
    expect(await nar('quarantine', 'lift', name, '--reason', 'seen')).toContain(`lifted: ${name} released`);
    expect(await nar('audit', 'list', '--path', name)).toContain('lifted');
  });

  it('is denied under whatever name', async () => {
    const narHash = contentOf();
    const { id, name } = await keepContent(narHash);
    await nar('quarantine', 'deny', name, '--reason', 'bad');
    expect(await nar('quarantine', 'list')).toMatch(new RegExp(`${HELLO}  \\(denied by alice@`));
    expect(await nar('quarantine', 'lift', name, '--reason', 'by mistake')).toContain(`lifted: ${narHash}`);
    await nar('quarantine', 'deny', id, '--reason', 'bad');
    expect(await nar('quarantine', 'list')).toMatch(new RegExp(`${HELLO}  \\(denied by alice@`));
  });

  it('is held again when the path that it came under is taken back', async () => {
    const { name } = await keepContent(contentOf());
    await nar('quarantine', 'release', name, '--reason', 'known');
    expect(await nar('quarantine', 'lift', HELLO, '--reason', 'seen')).toContain(`lifted: ${name} released`);
    expect(await nar('quarantine', 'list')).not.toContain('released');
  });

  it('that has no hash can be neither released nor denied', async () => {
    const { id } = await keepContent(null);
    const reason = ['--reason', 'x'];
    await expect(nar('quarantine', 'release', id, ...reason)).rejects.toEqual(
      code('QUARANTINE_NOT_RELEASABLE'),
    );
    await expect(nar('quarantine', 'deny', id, ...reason)).rejects.toEqual(code('PATH_NOT_IN_STORE'));
  });

  it('is unknown where it never came', async () => {
    await expect(nar('quarantine', 'show', contentName(contentOf()))).rejects.toEqual(
      code('QUARANTINE_UNKNOWN', /is not in quarantine/),
    );
  });
});
