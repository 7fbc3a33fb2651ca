/**
 * node test/bench/writeNar.ts BYTES [FILES]: writes a NAR with this many bytes of content to stdout, in
 * as many files, of blocks that are neither all zeros nor all alike. Nothing of it lies on a disk.
 */
import { writeSync } from 'node:fs';
import { noise, token } from './narBytes.ts';

const BLOCK = 1024 * 1024;

const tokens = (...texts: readonly string[]): Buffer => Buffer.concat(texts.map(token));

function send(bytes: Buffer): void {
  let sent = 0;
  while (sent < bytes.length) sent += writeSync(1, bytes, sent);
}

const total = Number(process.argv[2]);
const files = Number(process.argv[3] ?? 1);
const perFile = Math.ceil(total / files / BLOCK) * BLOCK;

const block = noise(BLOCK);

send(tokens('nix-archive-1', '(', 'type', 'directory'));
for (let file = 0; file < files; file++) {
  send(
    tokens('entry', '(', 'name', String(file).padStart(8, '0'), 'node', '(', 'type', 'regular', 'contents'),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(perFile));
  send(length);
  for (let offset = 0; offset < perFile; offset += BLOCK) {
    block.writeUInt32LE((offset / BLOCK) >>> 0, 0);
    send(block);
  }
  send(tokens(')', ')'));
}
send(tokens(')'));
