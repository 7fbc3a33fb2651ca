import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Budget, CONTAINER_LIMITS } from '../../src/inspect/containers/budget.ts';
import { Window, windowsBytes } from '../../src/inspect/window.ts';
import { createMatcher } from '../../src/kernel/create.ts';
import { LIMITS } from '../../src/model/limits.ts';
import { FactSink, type PartialFacts } from '../../src/sources/factSink.ts';
import { FileContents } from '../../src/sources/fileContents.ts';
import { type Inspection, prepareInspection } from '../../src/sources/inspection.ts';
import { InlineHasher } from '../../src/sources/narHasher.ts';
import { scanNarFile, scanSource } from '../../src/sources/narTarget.ts';
import type { NarContent, Sharing } from '../../src/sources/sharedNar.ts';
import type { NarTargetOptions } from '../../src/sources/streamTarget.ts';
import { TreeScanner } from '../../src/sources/tree.ts';
import { PiecedSource } from '../support/piecedSource.ts';
import {
  directory,
  directoryNode,
  entry,
  exported,
  file,
  nar,
  narOfNode,
  node,
  raw,
  token,
  uint64,
} from '../support/narWriter.ts';

const LEAK = 'prefix=/home/noamyr/x\n';
const DEPTH = 4;
const FROM = 1000;
const LONG = 3 * LIMITS.chunkBytes;
const OPTIONS = { exportStream: false, hasher: () => null, passed: () => false };

let folder: string;
let window: Window;
let inspection: Inspection;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nar-scan-shared-nar-'));
  const matcher = createMatcher({ size: windowsBytes(DEPTH) });
  window = new Window(matcher);
  const context = { homes: ['/home/noamyr'], aliases: [], storeDir: '/nix/store', hashParts: [] };
  inspection = prepareInspection(matcher, context, { maxDepth: DEPTH });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What went on in the scan of one NAR by somebody who takes contents. */
interface Shared {
  readonly facts: PartialFacts;
  readonly taken: readonly NarContent[];
  /** Bytes that were told as they passed. */
  readonly passed: number;
}

interface Disturbance {
  readonly options?: Partial<NarTargetOptions>;
  readonly sharing?: Sharing | null;
  /** Called between the parsing and the search of what was taken. */
  readonly between?: (path: string) => void;
}

/** Scans a NAR, then what was taken of it. */
async function scan(bytes: Uint8Array, { options, sharing, between }: Disturbance = {}): Promise<Shared> {
  const path = join(folder, 'x.nar');
  writeFileSync(path, bytes);
  const taken: NarContent[] = [];
  let total = 0;
  const passed = (count: number): boolean => {
    total += count;
    return false;
  };
  const budget = new Budget(CONTAINER_LIMITS);
  const all = { ...OPTIONS, passed, budget, ...options };
  const take = (content: NarContent): boolean => taken.push(content) > 0;
  const [output, ...others] = await scanNarFile(
    path,
    window,
    inspection,
    all,
    sharing === undefined ? { from: FROM, take } : sharing,
  );
  if (output === undefined || others.length > 0) throw new Error('not one output');
  between?.(path);
  const sink = new FactSink();
  sink.merge(output.facts);
  const scanner = new TreeScanner(new FileContents(window), undefined, passed);
  const none = (): never => {
    throw new Error('contents have no pieces');
  };
  for (const content of taken.toReversed()) {
    scanner.scan({ kind: 'content', ...content }, inspection, sink, none);
    await scanner.open(budget);
  }
  return { facts: sink.sorted(), taken, passed: total };
}

/** The facts of a NAR, which must be those of one that nobody shares, and of one from a pipe. */
async function sharedFacts(bytes: Uint8Array): Promise<Shared> {
  const shared = await scan(bytes);
  const { facts, passed } = await scan(bytes, { sharing: null });
  expect(shared.facts).toEqual(facts);
  expect(shared.passed).toBe(passed);
  const piped = await scanSource(new PiecedSource(Buffer.from(bytes), [70_000]), null, window, inspection, {
    ...OPTIONS,
    budget: new Budget(CONTAINER_LIMITS),
  });
  expect(piped.map((output) => output.facts)).toEqual([facts]);
  return shared;
}

const text = (length: number): Buffer => Buffer.from(LEAK.padStart(length, 'no leak in here\n'));
const places = ({ facts }: Shared): readonly string[] =>
  facts.findings.map(({ location }) => `${location.entry} @${location.offset}`);
const gaps = ({ facts }: Shared): readonly string[] =>
  facts.gaps.map(({ reason, location }) => `${location.entry} ${reason} @${location.offset}`);

describe('a NAR of which others read contents', () => {
  it('gives away what is large enough, with its place in the file', async () => {
    const tree = directory(
      ['a', file(text(FROM - 1))],
      ['b', directory(['c', file(text(FROM))])],
      ['d', file(text(LONG))],
      ['e', file(LEAK)],
    );
    const bytes = nar(tree);
    const { taken, facts } = await sharedFacts(bytes);
    expect(taken.map(({ entry: path, name, size }) => [path, name, size])).toEqual([
      ['b/c', 'b/c', FROM],
      ['d', 'd', LONG],
    ]);
    for (const { offset, size } of taken) {
      expect(bytes.subarray(offset, offset + size).equals(text(size))).toBe(true);
    }
    expect(facts.stats).toMatchObject({ entries: 6, files: 4, bytes: FROM - 1 + FROM + LONG + LEAK.length });
  });

  it('has its containers opened wherever they are', async () => {
    const packed = [gzipSync(text(LONG)), gzipSync(text(LONG), { level: 0 }), gzipSync(LEAK)];
    const entries = packed.map((bytes, index) => [`${index}.gz`, file(bytes)] as const);
    const { taken, facts } = await sharedFacts(nar(directory(...entries)));
    expect([taken.length, facts.gaps, facts.stats.expandedBytes]).toEqual([2, [], 2 * LONG + LEAK.length]);
    const inside = facts.findings.filter(({ location }) => location.container.length > 0);
    expect(inside.map(({ location }) => location.entry)).toEqual(['0.gz', '1.gz', '2.gz']);
  });

  it('is one file, whose root is called nothing', async () => {
    const { taken } = await sharedFacts(nar(file(text(LONG))));
    expect(taken.map(({ entry: path, name }) => [path, name])).toEqual([['', '']]);
  });

  it('searches itself what nobody takes', async () => {
    const bytes = nar(directory(['a', file(text(LONG))], ['b', file(text(FROM))]));
    const sharing = { from: FROM, take: ({ entry: path }: NarContent) => path === 'z' };
    const { facts } = await scan(bytes, { sharing });
    expect(facts).toEqual((await scan(bytes, { sharing: null })).facts);
  });

  it('is read alone where it is hashed, observed, packed or exported', async () => {
    const bytes = nar(file(text(LONG)));
    const observer = { directory: () => undefined, symlink: () => undefined, file: () => undefined };
    const hasher = () => new InlineHasher();
    const cases: readonly (readonly [Uint8Array, Partial<NarTargetOptions>])[] = [
      [bytes, { hasher }],
      [bytes, { observer }],
      [gzipSync(bytes), {}],
      [Buffer.concat([exported(bytes, '/nix/store/x'), uint64(0)]), {}],
      [Buffer.concat([exported(bytes, '/nix/store/x'), uint64(0)]), { exportStream: true }],
    ];
    for (const [stream, options] of cases) {
      const shared = await scan(stream, { options });
      expect([shared.taken, shared.facts.findings.length]).toEqual([[], 1]);
    }
  });
});

describe('a malformed NAR of which others read contents says what it would say else', () => {
  const before = entry('a', node(file(LEAK)));
  const large = (contents: Buffer): Buffer =>
    entry('b', raw('(', 'type', 'regular', 'contents', contents, ')'));
  const behind = entry('c', node(file(LEAK)));
  const head = raw('nix-archive-1', '(', 'type', 'directory', before, 'entry', '(', 'name', 'b', 'node');
  const open = raw(head, '(', 'type', 'regular', 'contents');

  it('of padding that is not zero', async () => {
    for (const size of [FROM + 1, LONG + 3]) {
      const bytes = narOfNode(directoryNode(before, large(token(text(size), 7)), behind));
      const shared = await sharedFacts(bytes);
      expect(shared.taken).toHaveLength(1);
      const at = open.length + 8 + size;
      expect(gaps(shared)).toEqual([`b malformed-nar @${at}`]);
      // what follows is searched as bytes
      expect(places(shared)).toHaveLength(3);
    }
  });

  it('of a size that reaches past its end, be it by one byte', async () => {
    for (const size of [LONG + 1, 2 ** 52, 2 ** 53 - 1 - open.length - 16]) {
      const shared = await sharedFacts(Buffer.concat([open, uint64(size), text(LONG)]));
      expect(shared.taken).toEqual([]);
      expect(gaps(shared)).toEqual([`b truncated @${LONG}`, `b malformed-nar @${open.length + 8 + LONG}`]);
      expect(places(shared)).toHaveLength(2);
    }
  });

  it('of a length that is none', async () => {
    for (const size of [2n ** 53n, 2n ** 62n, 2n ** 64n - 1n]) {
      const shared = await sharedFacts(Buffer.concat([open, uint64(size), text(LONG)]));
      expect([shared.taken, gaps(shared)]).toEqual([[], [`b malformed-nar @${open.length}`]]);
      expect(places(shared)).toHaveLength(2);
    }
  });

  it('of an end right behind contents, in their padding, and of what follows it', async () => {
    const whole = narOfNode(directoryNode(before, large(token(text(LONG - 3)))));
    const end = open.length + 8 + LONG - 3;
    for (const length of [end, end + 2]) {
      const shared = await sharedFacts(whole.subarray(0, length));
      expect(shared.taken).toHaveLength(1);
      expect(gaps(shared)).toEqual([`b malformed-nar @${length}`]);
    }
    const trailing = await sharedFacts(Buffer.concat([whole, text(LONG)]));
    expect([trailing.taken.length, gaps(trailing)]).toEqual([1, [` malformed-nar @${whole.length}`]]);
  });
});

describe('a NAR that changes before its contents are read', () => {
  const bytes = nar(directory(['a', file(LEAK)], ['b', file(text(LONG))]));

  it.each<[string, (path: string) => void]>([
    ['shrinks', (path) => truncateSync(path, 100)],
    ['grows', (path) => appendFileSync(path, 'x')],
    [
      'is replaced by its like',
      (path) => {
        rmSync(path);
        writeFileSync(join(folder, 'takes-the-inode'), '');
        writeFileSync(path, bytes);
      },
    ],
    ['is removed', (path) => rmSync(path)],
  ])('because it %s has a gap', async (_what, between) => {
    const shared = await scan(bytes, { between });
    expect([gaps(shared), places(shared)]).toEqual([['b unreadable @null'], ['a @7']]);
  });
});
