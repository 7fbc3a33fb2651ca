import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sqlite } from '../../src/nix/sqlite.ts';
import { expectGateDocument } from '../support/gateSchema.ts';
import { NAR_SCAN, narScan } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';
import { HomeStore, SymlinkedStore } from '../support/realNix.ts';

describe.skipIf(!needs('nix', 'nix-build'))('nar-scan copy, with the real Nix', () => {
  let store: SymlinkedStore;
  /** Nothing; refers to nothing. */
  let base: string;
  /** Clean; refers to base. */
  let tool: string;
  /** Leaks the home; refers to base. */
  let leaky: string;
  /** Clean by itself; refers to leaky and tool. */
  let app: string;
  let state: string;
  let cache: string;

  beforeAll(() => {
    store = new SymlinkedStore();
    base = store.build('base', 'mkdir $out; echo base > $out/base');
    tool = store.build('tool', `mkdir $out; echo ${base} > $out/tool`, [base]);
    leaky = store.build('leaky', `mkdir $out; echo ${base} ${store.home}/src/x.c > $out/leaky`, [base]);
    app = store.build('app', `mkdir $out; echo ${leaky} ${tool} > $out/app`, [leaky, tool]);
  });
  afterAll(() => store[Symbol.dispose]());
  beforeEach(() => {
    state = mkdtempSync(join(store.folder, 'state-'));
    cache = join(mkdtempSync(join(store.folder, 'cache-')), 'cache');
  });

  const environment = (): NodeJS.ProcessEnv => ({ ...store.environment, NAR_SCAN_STATE: state });
  const run = (args: readonly string[], env = environment()) => narScan(args, { env, cwd: store.folder });
  const copy = (...args: readonly string[]) =>
    run(['copy', '--to', `file://${cache}?compression=none`, ...args]);
  const names = (...paths: readonly string[]): string[] =>
    paths.map((path) => `${path.slice(store.storeDir.length + 1).slice(0, 32)}.narinfo`).toSorted();
  const arrived = (): string[] =>
    existsSync(cache)
      ? readdirSync(cache)
          .filter((name) => name.endsWith('.narinfo'))
          .toSorted()
      : [];
  const staged = (): string[] =>
    existsSync(join(state, 'staging')) ? readdirSync(join(state, 'staging')) : [];
  /** The state of a store path in the ledger: how many are known. */
  const remembered = (): unknown => {
    const { DatabaseSync } = sqlite();
    using database = new DatabaseSync(join(state, 'ledger.sqlite'), { readOnly: true });
    return database.prepare('select count(*) as count from scans').get()?.['count'];
  };

  it('sends a clean closure, byte for byte, and leaves nothing beside', () => {
    const { status, stdout } = copy(tool);
    expect([status, stdout]).toEqual([0, `2 paths sent to file://${cache}\n`]);
    expect(arrived()).toEqual(names(tool, base));
    const [name = ''] = names(tool);
    expect(readFileSync(join(cache, name), 'latin1')).toContain(`\nNarHash: ${store.narHash(tool)}\n`);
    store.run('nix', ['store', 'verify', '--store', `file://${cache}`, '--no-trust', '--recursive', tool]);
    expect(staged()).toEqual([]);
    expect(copy(tool).stdout).toBe(`0 paths sent to file://${cache}; 2 paths there already\n`);
  });

  it('lets nothing of a clean output out whose dependency leaks', () => {
    const { status, stdout } = copy(app);
    expect(status).toBe(1);
    expect(stdout.replace(/show [0-9a-f]{16}$/m, 'show ID')).toBe(
      [
        `${leaky} is contaminated: known-home ${store.home} in leaky`,
        '  see nar-scan quarantine show ID',
        '  and keeps here, for they refer to it:',
        `    ${app}`,
        'nothing sent: 2 of 4 paths may not leave',
        '',
      ].join('\n'),
    );
    expect(arrived()).toEqual([]);
    expect(staged()).toEqual([]);
    // from another process, by what is remembered
    expect(copy(app).status).toBe(1);
    expect(copy(leaky).status).toBe(1);
  });

  it('leaves out what leaks with all that refers to it, and sends the rest of the closure', () => {
    const { status, stdout } = copy('--skip-contaminated', app);
    // what was asked for stays here
    expect(status).toBe(1);
    expect(stdout).toContain(`2 paths sent to file://${cache}; 2 paths left out\n`);
    expect(arrived()).toEqual(names(tool, base));
    const all = store.run('nix', ['path-info', '--recursive', '--store', `file://${cache}`, tool]);
    expect(all.toString().trim().split('\n').toSorted()).toEqual([base, tool].toSorted());
    store.run('nix', ['store', 'verify', '--store', `file://${cache}`, '--no-trust', '--all']);
  });

  it('says by its status whether all that was named is sent', () => {
    const statuses = (...flags: readonly string[]) =>
      [[tool], [tool, leaky], [app]].map((paths) => copy('--skip-contaminated', ...flags, ...paths).status);
    expect(statuses('--dry-run')).toEqual([0, 1, 1]);
    expect(statuses()).toEqual([0, 1, 1]);
    expect(arrived()).toEqual(names(tool, base));
  });

  it('is refused where nothing is left to send', () => {
    const orphan = store.build('orphan', `echo ${store.home}/x > $out`);
    expect(copy('--skip-contaminated', orphan).status).toBe(1);
    expect(arrived()).toEqual([]);
  });

  it('says what it would do, without Nix, and does nothing', () => {
    const env = { ...environment(), PATH: '/nowhere' };
    const dry = (...args: readonly string[]) =>
      run(['copy', '--to', `file://${cache}`, '--dry-run', ...args], env);
    expect(dry(tool)).toMatchObject({
      status: 0,
      stdout: `${base}\n${tool}\n2 paths would be sent to file://${cache}\n`,
    });
    expect(dry(app)).toMatchObject({
      status: 1,
      stdout: expect.stringContaining('nothing would be sent: 2 of 4 paths may not leave\n'),
    });
    expect(dry('--skip-contaminated', app).stdout).toContain('2 paths would be sent to');
    expect(existsSync(cache)).toBe(false);
    expect(existsSync(join(state, 'audit.jsonl'))).toBe(false);
  });

  describe('tells programs', () => {
    interface Told {
      readonly storePath: string;
      readonly outcome: string;
    }
    const outcomes = (paths: readonly Told[]): Readonly<Record<string, string>> =>
      Object.fromEntries(paths.map(({ storePath, outcome }) => [storePath, outcome]));
    const json = (...args: readonly string[]) => {
      const { status, stdout } = copy('--format', 'json', ...args);
      const document = JSON.parse(stdout);
      expectGateDocument(document);
      return { status, document };
    };

    it('what was sent, what was there, and that nothing blocks', () => {
      const { status, document } = json(tool);
      expect(status).toBe(0);
      expect(document).toEqual({
        schema: 'nar-scan/gate-v1',
        command: 'copy',
        to: `file://${cache}`,
        dryRun: false,
        staged: true,
        status: 0,
        paths: [
          {
            storePath: base,
            named: false,
            outcome: 'sent',
            standing: 'clean',
            narHash: store.narHash(base),
            mayLeave: true,
            blockers: [],
            release: null,
          },
          expect.objectContaining({ storePath: tool, named: true, outcome: 'sent' }),
        ],
        blocking: [],
        report: null,
      });
      expect(outcomes(json('--dry-run', tool).document.paths)).toEqual({
        [base]: 'would-send',
        [tool]: 'would-send',
      });
      const later = store.build('later', `echo ${tool} > $out`, [tool]);
      expect(outcomes(json(later).document.paths)).toEqual({
        [base]: 'there',
        [tool]: 'there',
        [later]: 'sent',
      });
    });

    it('what was refused, with what was found in it', () => {
      const { status, document } = json(app);
      expect(status).toBe(1);
      expect(document).toMatchObject({
        status: 1,
        blocking: [{ storePath: leaky, standing: 'contaminated', dependents: [app] }],
        report: { verdict: 'contaminated', errors: [], outputs: [{ storePath: leaky }] },
      });
      expect(outcomes(document.paths)).toEqual({
        [leaky]: 'kept',
        [app]: 'kept',
        [base]: 'unsent',
        [tool]: 'unsent',
      });
      expect(arrived()).toEqual([]);
      const skipped = json('--skip-contaminated', app);
      expect([skipped.status, skipped.document.status]).toEqual([1, 1]);
      expect(outcomes(skipped.document.paths)).toEqual({
        [leaky]: 'kept',
        [app]: 'kept',
        [base]: 'sent',
        [tool]: 'sent',
      });
    });

    it('what a person denied, which no report calls clean', () => {
      expect(run(['quarantine', 'deny', base, '--reason', 'not this one']).status).toBe(0);
      const { status, document } = json(tool);
      expect(status).toBe(1);
      expect(document).toMatchObject({
        blocking: [{ storePath: base, standing: 'denied', denial: { record: 1, reason: 'not this one' } }],
        report: { verdict: 'incomplete', errors: [{ code: 'PATH_DENIED', target: base }] },
      });
    });

    it('each path by a line as soon as it is known what became of it, the rest by the last', () => {
      const { status, stdout } = copy('--format', 'jsonl', '--skip-contaminated', app);
      expect(status).toBe(1);
      const lines = stdout.trimEnd().split('\n');
      const documents = lines.map((line) => JSON.parse(line));
      expect(outcomes(documents.slice(0, -1))).toEqual(
        outcomes(
          json('--skip-contaminated', app).document.paths.map((path: Told) => ({
            ...path,
            outcome: path.outcome === 'there' ? 'sent' : path.outcome,
          })),
        ),
      );
      for (const document of documents) {
        expectGateDocument(document);
      }
      expect(documents.at(-1)).toMatchObject({ status: 1, report: { verdict: 'contaminated' } });
      expect(documents.at(-1)).not.toHaveProperty('paths');
    });

    it('that Nix failed, and what nobody knows of then', () => {
      const args = ['copy', '--format', 'json', '--to', `unix://${store.folder}/no-socket`, '--quiet', tool];
      const { status, stdout, stderr } = run(args);
      expect([status, stderr.match(/\[NIX_FAILED\]/g)]).toEqual([2, ['[NIX_FAILED]']]);
      const document = JSON.parse(stdout);
      expectGateDocument(document);
      expect(document).toMatchObject({
        status: 2,
        blocking: [],
        report: { verdict: 'incomplete', errors: [{ code: 'NIX_FAILED' }], outputs: [] },
      });
      expect(outcomes(document.paths)).toEqual({ [base]: 'unknown', [tool]: 'unknown' });
    });

    it('in no format that it does not know', () => {
      expect(copy('--format', 'sarif', tool)).toMatchObject({
        status: 2,
        stdout: '',
        stderr: expect.stringContaining('--format: copy knows human, json and jsonl, not sarif'),
      });
    });
  });

  it.skipIf(!needs('script'))('shows on a terminal how far it is, and nowhere else', () => {
    const folder = mkdtempSync(join(state, 'bin-'));
    // slow enough to be shown
    const script = `#!/bin/sh\ncase $* in *' copy '*) sleep 1;; esac\nPATH=$OLD exec nix "$@"\n`;
    writeFileSync(join(folder, 'nix'), script, { mode: 0o755 });
    const env = { ...environment(), PATH: `${folder}:${process.env['PATH']}`, OLD: process.env['PATH'] };
    const command = (to: string): string => `${NAR_SCAN} copy --to 'file://${cache}-${to}' '${tool}'`;
    const shown = spawnSync('script', ['-qec', command('shown'), '/dev/null'], { env, encoding: 'utf8' });
    expect(shown.stdout).toMatch(/\r\x1b\[K0 of 2 paths, 0 B of [0-9.]+ k?B sent, 0 B\/s, [0-9.]+ k?B ready/);
    expect(shown.stdout).not.toContain('@nix');
    expect(shown.stdout).toContain('2 paths sent to');
    const piped = spawnSync('/bin/sh', ['-c', command('piped')], { env, encoding: 'utf8' });
    expect(piped.stderr).toContain('copying path');
    expect(piped.stderr).not.toContain('\x1b');
  });

  it('scans only what it does not know', () => {
    expect(copy('--dry-run', app).status).toBe(1);
    expect(remembered()).toBe(4);
    const late = store.build('late', `echo ${tool} > $out`, [tool]);
    expect(copy('--dry-run', late, app).status).toBe(1);
    expect(remembered()).toBe(5);
  });

  it('lets through what was released, and what was denied no more', () => {
    const refused = copy(app);
    expect(refused.status).toBe(1);
    const [, shown = ''] = /^ {2}see nar-scan quarantine show (\S+)$/m.exec(refused.stdout) ?? [];
    const listed = run(['quarantine', 'list', '--json']).stdout.trim().split('\n');
    const ids = listed.map((line) => (JSON.parse(line) as { id: string }).id);
    expect(ids).toHaveLength(1);
    expect(ids).toContain(shown);
    expect(run(['quarantine', 'release', ids[0] ?? '', '--reason', 'looked at']).status).toBe(0);
    expect(copy(app)).toMatchObject({ status: 0, stdout: `4 paths sent to file://${cache}\n` });
    expect(run(['quarantine', 'deny', base, '--reason', 'not this one']).status).toBe(0);
    const denied = copy(tool);
    expect(denied.status).toBe(1);
    expect(denied.stdout).toContain(`${base} is denied by `);
    expect(run(['audit', 'verify']).status).toBe(0);
  });

  it.each([
    ['staged', []],
    ['not staged', ['--no-staging']],
  ])('sends nothing that was denied after it began, %s', (_how, flags) => {
    const drv = store.run('nix-store', ['--query', '--deriver', tool]).toString().trim();
    const folder = mkdtempSync(join(state, 'bin-'));
    // Nix takes outputs and derivations by runs of their own: what is not in the first is denied meanwhile
    const script = `#!/bin/sh
      case $* in *' copy '*)
        if mkdir ${folder}/begun 2>/dev/null; then
          case $* in *${tool}*) late=${drv};; *) late=${tool};; esac
          echo $late > ${folder}/late
          PATH=$OLD ${NAR_SCAN} quarantine deny $late --reason 'after all' >&2 || exit 9
        fi;;
      esac
      PATH=$OLD exec nix "$@"\n`;
    writeFileSync(join(folder, 'nix'), script, { mode: 0o755 });
    const env = { ...environment(), PATH: `${folder}:${process.env['PATH']}`, OLD: process.env['PATH'] };
    const args = [
      'copy',
      '--to',
      `file://${cache}?compression=none`,
      '--format',
      'json',
      ...flags,
      tool,
      drv,
    ];
    const { status, stdout, stderr } = run(args, env);
    const late = readFileSync(join(folder, 'late'), 'utf8').trim();
    expect([status, stderr.match(/\[[A-Z_]+\]/g)]).toEqual([1, ['[PATH_DENIED]']]);
    expect(stderr).toContain(`'${late}' is denied by `);
    expect(arrived()).not.toEqual([]);
    expect(arrived()).not.toContain(names(late)[0]);
    const { paths } = JSON.parse(stdout) as { paths: readonly { storePath: string; outcome: string }[] };
    expect(paths.find(({ storePath }) => storePath === late)?.outcome).toBe('unsent');
  });

  it('stops Nix in the middle when what let a path out is taken back', () => {
    copy(leaky);
    run(['quarantine', 'release', leaky, '--reason', 'looked at']);
    const folder = mkdtempSync(join(state, 'bin-'));
    const script = `#!/bin/sh
      case $* in *' copy '*)
        PATH=$OLD ${NAR_SCAN} quarantine lift ${leaky} --reason 'after all' >&2 || exit 9
        PATH=$OLD exec sleep 60;;
      esac
      PATH=$OLD exec nix "$@"\n`;
    writeFileSync(join(folder, 'nix'), script, { mode: 0o755 });
    const env = { ...environment(), PATH: `${folder}:${process.env['PATH']}`, OLD: process.env['PATH'] };
    const args = ['copy', '--to', `file://${cache}?compression=none`, '--format', 'json', leaky];
    const { status, stdout, stderr } = run(args, env);
    expect([status, stderr.match(/\[[A-Z_]+\]/g)]).toEqual([1, ['[PATH_HELD_BACK]']]);
    expect(stderr).toContain(`'${leaky}' is contaminated again: the release of record 3 counts no more`);
    expect(JSON.parse(stdout)).toMatchObject({
      status: 1,
      paths: [{ outcome: 'unknown' }, { outcome: 'unknown' }],
    });
    expect(arrived()).toEqual([]);
    expect(staged()).toEqual([]);
  });

  it('sends nothing where the audit trail does not hold', () => {
    copy(app);
    const trail = join(state, 'audit.jsonl');
    writeFileSync(trail, readFileSync(trail, 'utf8').replace('contaminated', 'contaminateD'));
    expect(copy(tool)).toMatchObject({
      status: 2,
      stdout: '',
      stderr: expect.stringContaining('[AUDIT_BROKEN]'),
    });
    expect(arrived()).toEqual([]);
  });

  it.each(['before it was judged', 'after it was judged'])('refuses what was changed %s', (when) => {
    const tampered = store.build(`tampered-${when.slice(0, 5)}`, `mkdir $out; echo ${tool} > $out/file`, [
      tool,
    ]);
    if (when.startsWith('after')) expect(copy('--dry-run', tampered).status).toBe(0);
    const file = join(tampered, 'file');
    const before = readFileSync(file);
    chmodSync(file, 0o644);
    writeFileSync(file, Buffer.concat([before, Buffer.from('more')]));
    const refused = copy(tampered);
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(/^nar-scan: .*tampered.* \[PATH_TAMPERED\]/m);
    expect(arrived()).toEqual([]);
    expect(staged()).toEqual([]);
  });

  it('lets Nix read the store itself where nothing is to be staged', () => {
    const { status } = copy('--no-staging', tool);
    expect([status, arrived()]).toEqual([0, names(tool, base)]);
    expect(existsSync(join(state, 'staging'))).toBe(false);
  });

  it('takes a link to an output as Nix does, and passes flags on', () => {
    symlinkSync(tool, join(store.folder, 'result'));
    const key = join(store.folder, 'key');
    store.run('nix-store', ['--generate-binary-cache-key', 'k-1', key, `${key}.pub`]);
    const { status } = run([
      'copy',
      '--to',
      `file://${cache}?secret-key=${key}`,
      './result',
      '--',
      '--refresh',
    ]);
    expect(status).toBe(0);
    const [name = ''] = names(tool);
    expect(readFileSync(join(cache, name), 'latin1')).toMatch(/^Sig: k-1:/m);
    // a flag that Nix does not know is Nix's to refuse
    cache = `${cache}-2`;
    expect(copy(tool, '--', '--no-such-flag')).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/nix copy ended with status 1: error: .*no-such-flag.*\[NIX_FAILED\]/),
    });
  });

  it.each([
    ['without a destination', ['copy', 'x'], 'USAGE_MISSING_VALUE'],
    ['without a path', ['copy', '--to', 'file:///x'], 'USAGE_NO_PATH'],
    ['to two destinations', ['copy', '--to', 'file:///x', '--to', 'file:///y', 'x'], 'USAGE_BAD_VALUE'],
    ['of stdin', ['copy', '--to', 'file:///x', '-'], 'PATH_NOT_IN_STORE'],
    ['of what is not there', ['copy', '--to', 'file:///x', './nowhere'], 'TARGET_MISSING'],
    ['of what is in no store', ['copy', '--to', 'file:///x', '/etc'], 'PATH_NOT_IN_STORE'],
    [
      'with a source of its own',
      ['copy', '--to', 'file:///x', 'x', '--', '--from', 'daemon'],
      'USAGE_BAD_VALUE',
    ],
    [
      'with a destination of its own',
      ['copy', '--to', 'file:///x', 'x', '--', '--to', 'daemon'],
      'USAGE_BAD_VALUE',
    ],
    [
      'with a path that is not judged',
      ['copy', '--to', 'file:///x', 'x', '--', '--no-check-sigs', '/nix/store/x'],
      'USAGE_BAD_VALUE',
    ],
    ['with everything', ['copy', '--to', 'file:///x', 'x', '--', '--all'], 'USAGE_BAD_VALUE'],
  ])('is refused %s in one line', (_what, args, code) => {
    const { status, stdout, stderr } = run(args);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(new RegExp(`^nar-scan: .* \\[${code}\\]; .*\\n$`));
  });

  it('is refused of a path that is not valid', () => {
    const stray = join(store.physicalStoreDir, '0123456789abcdfghijklmnpqrsvwxyz-stray');
    mkdirSync(stray);
    expect(copy(join(store.storeDir, '0123456789abcdfghijklmnpqrsvwxyz-stray'))).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('[PATH_NOT_VALID]'),
    });
  });

  it('says in one line that there is no Nix, before anything is scanned', () => {
    const { status, stderr } = run(['copy', '--to', `file://${cache}`, tool], {
      ...environment(),
      PATH: '/nowhere',
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/^nar-scan: there is no program 'nix' on PATH \[NIX_MISSING\]; .*\n$/);
    expect(existsSync(join(state, 'ledger.sqlite'))).toBe(false);
  });

  it('says in one line that the destination does not answer, without the password for it', () => {
    const env = { ...environment(), NIX_CONFIG: 'download-attempts = 1' };
    const { status, stdout, stderr } = run(['copy', '--to', 'http://alice:geheim@localhost:1', tool], env);
    expect(status).toBe(2);
    expect(stderr).toMatch(/^nar-scan: nix copy ended with status 1: error: .*\[NIX_FAILED\]/m);
    expect(stdout + stderr).not.toContain('geheim');
    expect(staged()).toEqual([]);
  });

  it('says once what is wrong with the destination', () => {
    const { status, stderr } = run(['copy', '--to', 'nonsense://x', tool]);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^nar-scan: nix copy ended with status 1: error: .*nonsense.*\[NIX_FAILED\]; .*\n$/,
    );
  });

  it('names the flag for a destination that wants signatures', () => {
    const bin = join(state, 'bin');
    mkdirSync(bin, { recursive: true });
    const said = "error: cannot add path '/x' because it lacks a valid signature";
    writeFileSync(join(bin, 'nix'), `#!/bin/sh\necho "${said}" >&2\nexit 1\n`, { mode: 0o755 });
    const env = { ...environment(), PATH: `${bin}:${process.env['PATH']}` };
    const { stderr } = run(['copy', '--to', `file://${cache}`, tool], env);
    expect(stderr).toMatch(
      /^nar-scan: .* lacks a valid signature \[NIX_UNSIGNED\]; .* -- --no-check-sigs .*\n$/,
    );
  });

  it('says in one line that a daemon does not answer', () => {
    const args = ['copy', '--to', `unix://${store.folder}/no-socket`, '--quiet', tool];
    const { status, stderr } = run(args);
    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^nar-scan: nix copy ended with status 1: error: .*no-socket.*\[NIX_FAILED\]; .*\n$/,
    );
  });

  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'ends Nix and leaves nothing behind at %s',
    async (signal) => {
      const slow = join(state, 'bin');
      mkdirSync(slow);
      const begun = join(state, 'begun');
      const script = `#!/bin/sh\ncase $* in *' copy '*) echo $$ > ${begun}; exec sleep 100;; esac\nexit 1\n`;
      writeFileSync(join(slow, 'nix'), script, { mode: 0o755 });
      const env = { ...environment(), PATH: `${slow}:${process.env['PATH']}` };
      const child = spawn(NAR_SCAN, ['copy', '--to', `file://${cache}`, tool], { env, stdio: 'ignore' });
      const ended = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
      while (!existsSync(begun) || readFileSync(begun, 'utf8') === '') await pause(20);
      expect(staged()).toHaveLength(2);
      child.kill(signal);
      expect(await ended).toBe(2);
      expect(staged()).toEqual([]);
      const nix = readFileSync(begun, 'utf8').trim();
      expect(spawnSync('kill', ['-0', nix]).status).not.toBe(0);
    },
  );
});

describe.skipIf(!needs('nix', 'nix-build'))('nar-scan copy from a chroot store in a home', () => {
  it.each([
    ['staged', []],
    ['not staged', ['--no-staging']],
  ])('sends what Nix knows as /nix/store, %s', (_how, flags) => {
    using store = new HomeStore('chroot');
    const base = store.build('base', 'echo base > $out');
    const cache = join(store.folder, 'cache');
    const env = {
      PATH: process.env['PATH'],
      HOME: store.home,
      NIX_CONF_DIR: store.folder,
      NAR_SCAN_STATE: join(store.folder, 'state'),
    };
    const args = ['copy', '--store', store.place, '--to', `file://${cache}`, ...flags, base];
    expect(narScan(args, { env, cwd: store.folder })).toMatchObject({
      status: 0,
      stdout: `1 path sent to file://${cache}\n`,
    });
    expect(readdirSync(cache)).toContain(`${base.slice('/nix/store/'.length).slice(0, 32)}.narinfo`);
  });
});
