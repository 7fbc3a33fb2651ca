import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashOfNar } from '../../src/quarantine/store/narFile.ts';
import { CLEAN, GuardedStore, HOOK, LEAK } from '../support/guardedStore.ts';
import { NAR_SCAN } from '../support/narScan.ts';
import { needs } from '../support/programs.ts';

const ROUNDS = Number(process.env['NAR_SCAN_KILL_ROUNDS'] ?? 8);
/** Outputs that leak; each is judged by a process of its own, and the last one is released besides. */
const LEAKING = 5;
const LONGEST_MILLISECONDS = 1500;
const ROUND_MILLISECONDS = 10_000;

describe.skipIf(!needs('nix', 'nix-build', 'nix-store'))('guards and releases that are killed', () => {
  let store: GuardedStore;
  let clean: string;
  let leaking: readonly string[];
  let id: string;

  beforeAll(() => {
    store = new GuardedStore(['post-build-hook =']);
    const names = Array.from({ length: LEAKING }, (_, index) => `leaky${index}`);
    const scripts = Object.fromEntries(names.map((name) => [name, `${LEAK}; echo ${name} > $out/name`]));
    const file = store.expression({ clean: CLEAN, ...scripts });
    store.nixBuild(file, ['clean', ...names]);
    clean = store.pathOf(file, 'clean');
    leaking = names.map((name) => store.pathOf(file, name));
    const released = leaking.at(-1) ?? '';
    store.hook({ OUT_PATHS: released });
    id =
      store.trail().find(({ event, storePath }) => event === 'quarantined' && storePath === released)?.id ??
      '';
  });

  afterAll(() => store[Symbol.dispose]());

  /** Runs a program until it ends or is killed, which may be at any moment. @returns its status; null: killed */
  const started = async (program: string, args: readonly string[], outPaths: string) => {
    const env = { ...store.bare(), OUT_PATHS: outPaths };
    const child = spawn(program, args, {
      env,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    let said = '';
    child.stderr.on('data', (piece: Buffer) => (said += piece.toString()));
    const ended = new Promise<number | null>((resolve) => void child.once('close', resolve));
    await Promise.race([ended, pause(randomInt(LONGEST_MILLISECONDS))]);
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    return { status: await ended, said };
  };

  it(
    `lose nothing that they acknowledged, leave nothing half, and let nothing through (${ROUNDS} rounds)`,
    async () => {
      const rejected = new Map<string, number>();
      const reasons: string[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const reason = `round ${round}`;
        const [release, good, ...refused] = await Promise.all([
          started(NAR_SCAN, ['quarantine', 'release', id, '--reason', reason], ''),
          started(HOOK, [], clean),
          started(HOOK, [], clean),
          ...leaking.map((path) => started(HOOK, [], path)),
        ]);
        if (release.status === 0) reasons.push(reason);
        expect([0, null]).toContain(good.status);
        expect(refused.shift()?.status ?? 0).toBe(0);
        for (const [index, path] of leaking.entries()) {
          const { status = null, said = '' } = refused[index] ?? {};
          const mayPass = path === leaking.at(-1);
          expect([said, [...(mayPass ? [0] : []), 1, null]]).toEqual([
            said,
            expect.arrayContaining([status]),
          ]);
          if (status === 1) rejected.set(path, (rejected.get(path) ?? 0) + 1);
        }
        const visible = readdirSync(join(store.state, 'quarantine')).filter((name) => !name.startsWith('.'));
        expect(visible.filter((name) => !/^[0-9a-f]{16}$/.test(name))).toEqual([]);
      }
      const trail = store.trail();
      for (const [path, count] of rejected) {
        const records = trail.filter((record) => record.event === 'rejected' && record.storePath === path);
        expect(records.length).toBeGreaterThanOrEqual(count);
      }
      const text = readFileSync(join(store.state, 'audit.jsonl'), 'utf8');
      expect(reasons.filter((reason) => !text.includes(`"${reason}"`))).toEqual([]);
      for (const { event, id: kept = '', storePath = '' } of trail) {
        const nar = join(store.state, 'quarantine', kept, 'output.nar.zst');
        if (event === 'quarantined' && existsSync(nar)) {
          expect(await hashOfNar(nar)).toBe(store.narHash(storePath));
        }
      }
      expect(store.narScan('audit', 'verify').status).toBe(0);
      for (const path of leaking.slice(0, -1)) expect(store.hook({ OUT_PATHS: path }).status).toBe(1);
      // neither the ledger nor anything else has anything to say
      expect(store.hook({ OUT_PATHS: clean })).toEqual({ status: 0, stdout: '', stderr: '' });
    },
    60_000 + ROUNDS * ROUND_MILLISECONDS,
  );
});
