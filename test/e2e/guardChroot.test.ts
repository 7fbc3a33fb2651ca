import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLEAN, HOOK } from '../support/guardedStore.ts';
import { needs } from '../support/programs.ts';
import { HomeStore } from '../support/realNix.ts';

describe.skipIf(!needs('nix', 'nix-store', 'nix-build'))('builds in a chroot store', () => {
  it('fail where they leak, and pass where they do not: the hook finds the store that Nix was given', () => {
    using store = new HomeStore('chroot');
    appendFileSync(join(store.folder, 'nix.conf'), `post-build-hook = ${HOOK}\n`);
    const policy = join(store.folder, 'config.toml');
    writeFileSync(policy, `homes = ["${store.home}"]\n`);
    const state = join(store.folder, 'state');
    const guarded = { NAR_SCAN_STATE: state, NAR_SCAN_CONFIG: policy, NAR_SCAN_NODE: process.execPath };
    expect(store.build('clean', CLEAN, guarded)).toMatch(/^\/nix\/store\/\S+-clean$/);
    const leak = `mkdir $out; echo ${store.home}/src/x.c > $out/x`;
    expect(() => store.build('leaky', leak, guarded)).toThrow(
      /post-build-hook: nar-scan: rejected: \/nix\/store\/\S+-leaky is contaminated: known-home/,
    );
    const events = readFileSync(join(state, 'audit.jsonl'), 'utf8').trim().split('\n');
    expect(events.map((line) => (JSON.parse(line) as { event: string }).event)).toEqual([
      'quarantined',
      'rejected',
    ]);
  });
});
