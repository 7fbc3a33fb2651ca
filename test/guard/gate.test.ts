import { expect, it } from 'vitest';
import { closureOf } from '../../src/guard/closure.ts';
import { askGate } from '../../src/guard/gate.ts';
import { BUILT_IN_POLICY } from '../../src/policy/policy.ts';
import type { Decisions } from '../../src/quarantine/decision.ts';
import { loadDigest } from '../../src/report/ids.ts';
import { LocalWorker } from '../../src/scan/localWorker.ts';
import { MadeStore } from '../support/madeStore.ts';

it('a gate goes by what was decided while it scanned', async () => {
  using store = new MadeStore();
  const path = store.add(1, { text: 'nothing' });
  const denial = {
    sequence: 1,
    reason: 'no',
    actor: 'alice@host',
    at: 0,
    storePath: null,
    hashPart: null,
    narHash: null,
  };
  let isDenied = false;
  const decisions: Decisions = {
    refresh: () => void (isDenied = true),
    denial: () => (isDenied ? denial : null),
    release: () => null,
  };
  const { storeDir } = store;
  const known = { homes: [], hostHomes: false, aliases: [], limits: {}, hashNars: true, exportStream: false };
  const request = {
    closure: closureOf([`${store.folder}/var/nix`], [path]),
    scan: { ...known, storeDir },
    crew: [new LocalWorker({ hasty: true })],
    policy: BUILT_IN_POLICY.verdict,
    decisions,
    now: new Date(),
    digest: await loadDigest(),
    progress: () => undefined,
  };
  const { standings, graph } = await askGate(request, new AbortController().signal);
  expect([standings.get(path)?.standing, graph.mayLeave(path)]).toEqual(['denied', false]);
});
