import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NarListing } from '../../../src/admission/inspection/listing.ts';
import { NarParser } from '../../../src/formats/nar/parser.ts';
import { LIMITS } from '../../../src/model/limits.ts';
import { anyTree } from '../../support/narArbitrary.ts';
import { directory, file, nar, symlink, type NarTree } from '../../support/narWriter.ts';
import { needs } from '../../support/programs.ts';
import { SymlinkedStore } from '../../support/realNix.ts';

function listingOf(bytes: Buffer, cut = bytes.length): string | null {
  const listing = new NarListing();
  const parser = new NarParser({ contents: () => undefined, fileEnd: () => undefined, ...bound(listing) });
  parser.push(bytes, 0, cut);
  parser.push(bytes, cut, bytes.length);
  parser.end();
  return listing.text();
}

function bound(listing: NarListing) {
  return {
    directory: listing.directory.bind(listing),
    symlink: listing.symlink.bind(listing),
    file: listing.file.bind(listing),
  };
}

/** A tree whose names and targets are text, whichever it is. */
function asText(tree: NarTree): NarTree {
  if (tree.type === 'file') return tree;
  if (tree.type === 'symlink') return symlink(plain(tree.target));
  const entries = new Map(tree.entries.map(([name, node]) => [plain(name), asText(node)]));
  return directory(...[...entries].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

function plain(name: string): string {
  return name.replaceAll(/[^!-~]/g, '"');
}

interface Node {
  readonly type: string;
  readonly size?: number;
  readonly executable?: boolean;
  readonly narOffset?: number;
  readonly target?: string;
  readonly entries?: Readonly<Record<string, Node>>;
}

/** What a listing says, read out of the NAR at the places that it names. */
function treeOf(node: Node, bytes: Buffer): NarTree {
  if (node.type === 'symlink') return symlink(node.target ?? '');
  if (node.type === 'directory') {
    const entries = Object.entries(node.entries ?? {}).map(
      ([name, child]) => [name, treeOf(child, bytes)] as const,
    );
    return directory(...entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  }
  const { size = -1, narOffset = -1, executable = false } = node;
  expect(bytes.readBigUInt64LE(narOffset - 8)).toBe(BigInt(size));
  return file(bytes.subarray(narOffset, narOffset + size), executable);
}

describe('the listing of a NAR', () => {
  test('says what is in it and where, however the NAR is cut', () => {
    fc.assert(
      fc.property(anyTree, fc.double({ min: 0, max: 1, noNaN: true }), (any, part) => {
        const tree = asText(any);
        const bytes = nar(tree);
        const { version, root } = JSON.parse(listingOf(bytes, Math.floor(part * bytes.length)) ?? '') as {
          version: number;
          root: Node;
        };
        expect([version, treeOf(root, bytes)]).toEqual([1, tree]);
      }),
    );
  });

  test('is none where a name or a target is no text', () => {
    expect(listingOf(nar(directory(['\xff', file('')])))).toBe(null);
    expect(listingOf(nar(symlink('\xff')))).toBe(null);
  });

  test('is none where it would be too long', () => {
    const listing = new NarListing();
    listing.directory('');
    const name = 'n'.repeat(200);
    for (let count = 0; count < LIMITS.listingLength / 200; count++) listing.file(name + count, false, 1, 1);
    expect(listing.text()).toBe(null);
  });

  test.skipIf(!needs('nix', 'nix-store'))('is the one that Nix writes', () => {
    using store = new SymlinkedStore();
    const path = store.build(
      'listed',
      `mkdir -p $out/bin $out/empty $out/share/é; echo '#!x' > $out/bin/x; chmod +x $out/bin/x; : > $out/none
       ln -s ../bin/x "$out/share/a \\"link\\""; echo text > $out/share/é/text; echo after > $out/share-after`,
    );
    store.run('nix', ['copy', '--to', `file://${store.folder}/cache?write-nar-listing=true`, path]);
    const hashPart = path.slice(store.storeDir.length + 1, store.storeDir.length + 33);
    const theirs = store.run('cat', [`${store.folder}/cache/${hashPart}.ls`]).toString();
    // the order of keys is another in each version
    const ours = listingOf(store.run('nix-store', ['--dump', path]));
    expect(JSON.parse(ours ?? '')).toEqual(JSON.parse(theirs));
  });
});
