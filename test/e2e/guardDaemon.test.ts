import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLEAN, GuardedStore, LEAK } from '../support/guardedStore.ts';
import { needs } from '../support/programs.ts';

describe.skipIf(!needs('nix-build', 'nix-daemon'))('builds of a daemon with an empty environment', () => {
  let store: GuardedStore;
  let daemon: ChildProcess;
  let socket: string;

  beforeAll(async () => {
    store = new GuardedStore();
    socket = join(store.folder, 'socket');
    // without a database the daemon would look for another daemon
    store.run('nix-store', ['--init']);
    daemon = spawn('nix-daemon', [], {
      cwd: '/',
      env: { ...store.bare(), PATH: store.environment['PATH'], NIX_DAEMON_SOCKET_PATH: socket },
      stdio: 'ignore',
    });
    while (!existsSync(socket) && daemon.exitCode === null) await pause(20);
  });

  afterAll(() => {
    daemon.kill();
    store[Symbol.dispose]();
  });

  it('fail where they leak, also when they are checked; clean ones pass', () => {
    const file = store.expression({ leaky: LEAK, clean: CLEAN });
    const build = (...words: readonly string[]) =>
      store.start('nix-build', ['--no-out-link', file, ...words], {
        ...store.environment,
        NIX_REMOTE: `unix://${socket}`,
      });
    expect(build('-A', 'clean').status).toBe(0);
    for (const options of [[], ['--check']]) {
      const { status, stderr } = build('-A', 'leaky', ...options);
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/post-build-hook: nar-scan: rejected: \S+-leaky is contaminated: known-home/);
    }
    expect(store.trail().map(({ event }) => event)).toEqual(['quarantined', 'rejected', 'rejected']);
  });
});
