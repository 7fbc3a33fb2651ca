import { describe, expect, it } from 'vitest';
import { readArguments } from '../../../src/cli/arguments.ts';
import { serveInvocationOf } from '../../../src/cli/commands/serveInvocation.ts';

const PID = 7;
const understood = (words: readonly string[], environment: NodeJS.ProcessEnv = {}) =>
  serveInvocationOf(readArguments(['serve', ...words]), { HOME: '/home/noamyr', ...environment }, PID);

const STORAGE = ['--storage', 'file:///srv/cache'];

describe('a command line of serve', () => {
  it('has defaults that open nothing to others', () => {
    const invocation = understood([...STORAGE, '--state', '/srv/state']);
    expect(invocation).toMatchObject({
      listen: { host: '127.0.0.1', port: 8080 },
      state: '/srv/state',
      environment: { NAR_SCAN_STATE: '/srv/state' },
      storeDir: '/nix/store',
      hostHomes: true,
      tokens: null,
      noAuth: false,
      signKey: null,
      dryRun: false,
    });
    expect(invocation.scans).toBeGreaterThan(0);
  });

  it('keeps the state where all state of this user lies, unless it is told otherwise', () => {
    expect(understood(STORAGE, { NAR_SCAN_STATE: '/srv/other' }).state).toBe('/srv/other');
  });

  it('takes the one socket of systemd, if it is meant for this process', () => {
    const socket = { LISTEN_PID: String(PID), LISTEN_FDS: '1' };
    expect(understood(STORAGE, socket).listen).toEqual({ fd: 3 });
    expect(understood(STORAGE, { ...socket, LISTEN_PID: '8' }).listen).toHaveProperty('port', 8080);
    expect(() => understood(STORAGE, { ...socket, LISTEN_FDS: '2' })).toThrow('2 sockets');
    expect(() => understood([...STORAGE, '--listen', '[::1]:80'], socket)).toThrow('exclude each other');
  });

  it.each([
    [[], '--storage'],
    [[...STORAGE, '/nix/store'], "serve takes no '/nix/store'"],
    [[...STORAGE, '--no-auth', '--sign-key', 'key'], '--no-auth never signs'],
    [[...STORAGE, '--home', '/tmp'], '/tmp'],
    [[...STORAGE, '--listen', '8080'], '--listen'],
    [[...STORAGE, '--scans', '0'], '--scans'],
  ])('is refused: %j', (words, message) => {
    expect(() => understood(words)).toThrow(message);
  });
});
