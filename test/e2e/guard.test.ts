import { rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLEAN, GuardedStore, LEAK } from '../support/guardedStore.ts';
import { expectGateDocument } from '../support/gateSchema.ts';
import { needs } from '../support/programs.ts';

describe.skipIf(!needs('nix', 'nix-build', 'nix-store'))('builds of the real Nix that are guarded', () => {
  let store: GuardedStore;

  beforeEach(() => {
    store = new GuardedStore();
  });

  afterEach(() => {
    store[Symbol.dispose]();
  });

  it('pass where they are clean, also where Nix names no output, as 2.8.0, and nothing is told', () => {
    const file = store.expression({ clean: CLEAN });
    const { status, stderr } = store.nixBuild(file, ['clean']);
    expect(status).toBe(0);
    expect(stderr).not.toContain('nar-scan:');
    expect(store.trail()).toEqual([]);
    expect(store.reports()).toEqual([]);
  });

  it('fail where they leak, in one line that names the home, the entry, a record and a report, and are kept', () => {
    const file = store.expression({ leaky: LEAK });
    const { status, stderr } = store.nixBuild(file, ['leaky']);
    const path = store.pathOf(file, 'leaky');
    expect(status).not.toBe(0);
    const lines = stderr.split('\n').filter((line) => line.includes('nar-scan:'));
    expect(lines).toEqual([
      expect.stringMatching(
        `post-build-hook: nar-scan: rejected: ${path} is contaminated: known-home ${store.home} in bin/x; see nar-scan quarantine show [0-9a-f]{16}, ${store.state}/reports/.*\\.txt$`,
      ),
    ]);
    const [, named] = /quarantine show ([0-9a-f]{16}), /.exec(stderr) ?? [];
    const [report = ''] = store.reports();
    expect(report).toContain(`contaminated ${path}`);
    const [, id = ''] = /^ {2}nar-scan quarantine show ([0-9a-f]{16})$/m.exec(report) ?? [];
    expect(named).toBe(id);
    expect(store.narScan('quarantine', 'show', id).stdout).toContain(`contaminated ${path}`);
    expect(store.trail()).toEqual([
      expect.objectContaining({ event: 'quarantined', id, storePath: path, kept: expect.any(Number) }),
      expect.objectContaining({
        event: 'rejected',
        storePath: path,
        because: expect.stringMatching(/^contaminated: known-home /),
      }),
    ]);
  });

  it('are refused ever after: Nix builds no second time, the guard still knows', () => {
    const file = store.expression({ leaky: LEAK, user: 'mkdir $out; ln -s ${leaky} $out/leaky' });
    expect(store.nixBuild(file, ['leaky']).status).not.toBe(0);
    // the output is valid although its hook failed
    expect(store.nixBuild(file, ['leaky']).status).toBe(0);
    const path = store.pathOf(file, 'leaky');
    expect(store.hook({ OUT_PATHS: path })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`rejected: ${path}`),
    });
    const dependent = store.nixBuild(file, ['user']);
    expect(dependent.status).not.toBe(0);
    expect(dependent.stderr).toContain(`it refers to ${path}, which is contaminated`);
    const copied = store.narScan('copy', '--to', `file://${store.directory('cache')}`, path);
    expect(copied.status).toBe(1);
  });

  it('pass once a person has released them, until there is another finding', () => {
    const file = store.expression({ leaky: `${LEAK}; echo /home/upstream/x > $out/y` });
    store.nixBuild(file, ['leaky']);
    const path = store.pathOf(file, 'leaky');
    const link = join(store.directory('links'), 'result');
    symlinkSync(path, link);
    expect(store.narScan('quarantine', 'show', link).stdout).toContain(`contaminated ${path}`);
    expect(store.narScan('quarantine', 'release', link, '--reason', 'for a test').stdout).toContain(path);
    expect(store.hook({ OUT_PATHS: path })).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(store.narScan('audit', 'verify').status).toBe(0);
    // what was no error then was not released
    store.setPolicy('[rules]\nforeign-home = "error"\n');
    expect(store.hook({ OUT_PATHS: path })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('rejected: '),
    });
  });

  it('fail where one of several outputs leaks; in quarantine mode the others are passed on', () => {
    const program = store.following();
    store.setPolicy(`[guard]\nthen = ["${program}"]\n`);
    const script = `mkdir $out $dev $doc; echo "$(realpath $dev)" > $dev/x; echo y > $doc/y`;
    const file = store.expression({ many: script }, { many: '"out" "dev" "doc"' });
    const { status, stderr } = store.nixBuild(file, ['many']);
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/rejected: \S+-many-dev is contaminated/);
    expect(store.given()).toEqual([]);
    store.setPolicy(`[guard]\nmode = "quarantine"\nthen = ["${program}"]\n`);
    expect(store.hook({ DRV_PATH: store.derivationOf(file, 'many') }).status).toBe(0);
    expect(store.given()).toEqual([expect.stringMatching(/^\S+many\.drv: \S+-many-doc \S+-many$/)]);
  });

  it('run for what an evaluation imports, too', () => {
    const file = store.expression({ leaky: LEAK });
    const expression = `builtins.readFile ((import ${file}).leaky.outPath + "/bin/x")`;
    const { status, stderr } = store.nix(
      'nix-instantiate',
      '--eval',
      '--read-write-mode',
      '--expr',
      expression,
    );
    expect(status).not.toBe(0);
    expect(stderr).toContain('rejected: ');
    expect(store.trail().map(({ event }) => event)).toContain('quarantined');
  });

  it('are judged with --check, too', () => {
    const file = store.expression({ leaky: LEAK });
    store.nixBuild(file, ['leaky']);
    const { status, stderr } = store.nixBuild(file, ['leaky'], '--check');
    expect(status).not.toBe(0);
    expect(stderr).toContain('rejected: ');
  });

  it('go on beside one that leaks in quarantine mode, and what depends on it is withheld', () => {
    const program = store.following();
    store.setPolicy(`[guard]\nmode = "quarantine"\nthen = ["${program}"]\n`);
    const file = store.expression({
      leaky: LEAK,
      one: CLEAN,
      two: `sleep 1; ${CLEAN}`,
      user: 'mkdir $out; ln -s ${leaky} $out/leaky; ln -s ${one} $out/one',
    });
    const { status, stderr } = store.nixBuild(file, ['leaky', 'one', 'two', 'user'], '-j3');
    expect(status).toBe(0);
    const [leaky, user] = ['leaky', 'user'].map((name) => store.pathOf(file, name));
    expect(stderr).toContain(`withheld: ${leaky} is contaminated`);
    expect(stderr).toContain(`withheld: ${user}: it refers to ${leaky}, which is contaminated`);
    const given = store.given().map((line) => line.split(': ')[1] ?? '');
    expect(given.toSorted()).toEqual(['one', 'two'].map((name) => store.pathOf(file, name)).toSorted());
  });

  it('are only told of in report mode', () => {
    const program = store.following();
    store.setPolicy(`[guard]\nmode = "report"\nthen = ["${program}"]\n`);
    const file = store.expression({ leaky: LEAK });
    const { status, stderr } = store.nixBuild(file, ['leaky']);
    expect(status).toBe(0);
    expect(stderr).toContain('passed on: ');
    expect(store.given()).toHaveLength(1);
    expect(store.trail()).toEqual([]);
    expect(store.reports()).toHaveLength(1);
  });

  it('are withheld where not all of them can be inspected, or rejected, or passed on, as the policy says', () => {
    const program = store.following();
    const script = `mkdir $out; printf '7z\\274\\257\\047\\034\\0\\004aaaaaaaaaaaaaaaaaaaaaaaa' > $out/x.7z`;
    const file = store.expression({ odd: script });
    const statuses = ['withhold', 'reject', 'report'].map((incomplete) => {
      store.setPolicy(`[guard]\nincomplete = "${incomplete}"\nthen = ["${program}"]\n`);
      const { status, stderr } = store.nixBuild(
        file,
        ['odd'],
        ...(incomplete === 'withhold' ? [] : ['--check']),
      );
      expect(stderr).toContain('is incomplete: unsupported x.7z');
      return status === 0;
    });
    expect(statuses).toEqual([true, false, true]);
    expect(store.given()).toHaveLength(1);
  });

  it('end with the status of the hook that follows', () => {
    store.setPolicy(`[guard]\nthen = ["${store.following('exit 7')}"]\n`);
    const file = store.expression({ clean: CLEAN });
    expect(store.nixBuild(file, ['clean']).stderr).toContain('failed with exit code 7');
  });

  it('can be asked about without a build', () => {
    const file = store.expression({
      leaky: LEAK,
      clean: CLEAN,
      user: 'mkdir $out; ln -s ${leaky} $out/leaky',
    });
    store.nixBuild(file, ['leaky', 'clean', 'user'], '--option', 'post-build-hook', '');
    const [leaky = '', clean = '', user = ''] = ['leaky', 'clean', 'user'].map((name) =>
      store.pathOf(file, name),
    );
    const { status, stdout } = store.narScan('guard', clean, user);
    expect(status).toBe(1);
    expect(stdout.split('\n')).toEqual([
      `may leave: ${clean}`,
      expect.stringContaining(`rejected: ${user}: it refers to ${leaky}, which is contaminated`),
      '',
    ]);
    expect(store.narScan('guard', clean).status).toBe(0);
    expect(store.trail()).toEqual([]);
    // as the hook, by mode
    for (const mode of ['quarantine', 'report']) {
      store.setPolicy(`[guard]\nmode = "${mode}"\n`);
      expect([store.narScan('guard', user).status, store.hook({ OUT_PATHS: user }).status]).toEqual([0, 0]);
    }
  });

  it('are told of as JSON, with what was found in what keeps them here', () => {
    const file = store.expression({ leaky: LEAK, user: 'mkdir $out; ln -s ${leaky} $out/leaky' });
    store.nixBuild(file, ['user'], '--option', 'post-build-hook', '');
    const [leaky = '', user = ''] = ['leaky', 'user'].map((name) => store.pathOf(file, name));
    const { status, stdout } = store.narScan('guard', '--format', 'json', user);
    expect(status).toBe(1);
    const hash = expect.stringMatching(/^sha256:/);
    const document: unknown = JSON.parse(stdout);
    expectGateDocument(document);
    expect(document).toMatchObject({
      schema: 'nar-scan/gate-v1',
      command: 'guard',
      paths: [
        {
          storePath: user,
          named: true,
          outcome: 'reject',
          standing: 'clean',
          narHash: hash,
          mayLeave: false,
          blockers: [leaky],
          release: null,
        },
      ],
      blocking: [
        {
          storePath: leaky,
          standing: 'contaminated',
          narHash: hash,
          denial: null,
          dependents: [user],
          reason: `contaminated: known-home ${store.home} in bin/x`,
          ids: [expect.any(String)],
        },
      ],
      report: {
        schema: 'nar-scan/report-v1',
        verdict: 'contaminated',
        errors: [],
        outputs: [{ storePath: leaky, findings: [{ rule: 'known-home', home: store.home }] }],
      },
    });
    expect(store.narScan('guard', '--format', 'sarif', user)).toMatchObject({
      status: 2,
      stderr: expect.stringContaining('[USAGE_BAD_VALUE]'),
    });
  });

  it('are told of with the way to what keeps them here, and with what lets them leave', () => {
    const file = store.expression({
      leaky: LEAK,
      lib: 'ln -s ${leaky} $out',
      tool: 'ln -s ${lib} $out',
      app: 'ln -s ${tool} $out',
    });
    store.nixBuild(file, ['app'], '--option', 'post-build-hook', '');
    const path = (name: string): string => store.pathOf(file, name);
    const [app, leaky] = [path('app'), path('leaky')];
    const guard = (storePath: string): readonly string[] =>
      store.narScan('guard', storePath).stdout.split('\n');
    expect(guard(app)).toEqual([
      expect.stringContaining(`${app}: it refers to ${leaky}`),
      ...['tool', 'lib'].map((name) => `  by ${path(name)}`),
      '',
    ]);
    store.setPolicy(
      '[[waivers]]\nrule = "known-home"\noutput = "leaky"\nbecause = "seen"\nexpires = 2999-01-01\n',
    );
    expect(guard(leaky)).toEqual([expect.stringMatching(`^may leave: ${leaky}, waived by .*seen`), '']);
    expect(guard(app)[0]).toMatch(`may leave: ${app}, with ${leaky}, which is waived by `);
    store.setPolicy('');
    store.hook({ OUT_PATHS: leaky });
    const id = store.trail()[0]?.id ?? '';
    store.narScan('quarantine', 'release', id, '--reason', 'looked at', '--by', 'alice');
    expect(guard(app)[0]).toContain(`${app}, with ${leaky}, which is released by alice (record `);
  });

  it('fail while the trail cannot be trusted', () => {
    const file = store.expression({ leaky: LEAK, clean: CLEAN });
    store.nixBuild(file, ['leaky']);
    rmSync(join(store.state, 'audit.jsonl'));
    const { status, stderr } = store.nixBuild(file, ['clean']);
    expect(status).not.toBe(0);
    expect(stderr).toContain('AUDIT_TRUNCATED');
  });
});
