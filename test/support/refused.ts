import { createHash } from 'node:crypto';
import type { Finding, OutputFacts } from '../../src/model/facts.ts';
import { narHashText } from '../../src/nix/narHash.ts';
import type { Refused } from '../../src/quarantine/store/bundle.ts';
import { narOfTree } from '../../src/quarantine/store/narFile.ts';
import { TreeNar } from '../../src/sources/treeNar.ts';
import { judged } from './judged.ts';

/** The NarHash of what lies on disk. */
function narHashOf(path: string): string {
  const hash = createHash('sha256');
  using source = new TreeNar(path);
  const memory = Buffer.alloc(65_536);
  for (let count = source.read(memory, 0, memory.length); count > 0;) {
    hash.update(memory.subarray(0, count));
    count = source.read(memory, 0, memory.length);
  }
  return narHashText(hash.digest());
}

export function storePathNamed(name: string): string {
  const part = createHash('md5').update(name).digest('hex').replaceAll('e', 'z');
  return `/nix/store/${part}-${name}`;
}

function leak(home: string, entry: string): Finding {
  return {
    rule: 'known-home',
    severity: 'error',
    carrier: 'bytes',
    encoding: 'plain',
    home,
    alias: null,
    hashPart: null,
    location: { entry, container: [], offset: 0, outerOffset: 0 },
    evidence: `${home}/x`,
    marked: [0, home.length],
    more: 0,
  };
}

/**
 * A contaminated output that lies on disk.
 * @param homes that leak, one finding each
 */
export function refusedAt(path: string, name: string, homes: readonly string[] = ['/home/noamyr']): Refused {
  const storePath = storePathNamed(name);
  const facts: OutputFacts = {
    target: storePath,
    storePath,
    narHash: narHashOf(path),
    findings: homes.map((home, at) => leak(home, `file${at}`)),
    gaps: [],
    stats: { entries: 1, files: 1, bytes: 1, expandedBytes: 1, milliseconds: 1 },
  };
  return {
    storePath,
    nar: narOfTree(path),
    facts,
    result: judged(facts),
    policy: { strict: false },
    registered: null,
    origin: { tool: { name: 'nar-scan', version: '0', kernel: 'none' }, rules: 'none' },
  };
}
