import type { ByteString } from '../../model/bytes.ts';
import { NarScanError } from '../../model/errors.ts';
import { LIMITS } from '../../model/limits.ts';
import { MAGIC } from './grammar.ts';
import { RUNS } from './runs.ts';
import { padded, tokens } from './tokens.ts';

/*
 * The bytes of a NAR, piece by piece: what the parser of this folder takes, and what it does not is
 * refused here. A node is a head, what it holds, and a tail; an entry of a directory stands around a node.
 */

const ROOT_HEAD = Buffer.concat([MAGIC, tokens('(', 'type')]);
const ROOT_TAIL = tokens(')');
const ENTRY_HEAD = tokens(...RUNS.entryHead);
const NODE_HEAD = tokens(...RUNS.nodeHead);
const ENTRY_TAIL = tokens(...RUNS.entryTail);
const PLAIN_FILE = tokens(...RUNS.plainFile);
const EXECUTABLE_FILE = tokens(...RUNS.executableFile);
const LINK_HEAD = tokens(...RUNS.link);
const DIRECTORY = tokens('directory');
const ZEROS = Buffer.alloc(7);

/** Where a node stands. */
interface NodePlace {
  /** The name of the entry, or null for the root node. */
  readonly name: ByteString | null;
  /** How many directories it stands in. */
  readonly depth: number;
}

/**
 * What stands before the contents of a regular file.
 * @param size of the contents, in bytes
 * @throws NarScanError TREE_NOT_SERIALISABLE for a name that no NAR may hold, and a node too deep
 */
export function fileHead(place: NodePlace, executable: boolean, size: number): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(size));
  return Buffer.concat([nodeHead(place), executable ? EXECUTABLE_FILE : PLAIN_FILE, length]);
}

/** What follows the contents of a regular file of `size` bytes. */
export function fileTail({ name }: NodePlace, size: number): Buffer {
  return Buffer.concat([ZEROS.subarray(0, padded(size) - size), nodeTail(name)]);
}

/** A whole symbolic link. @throws NarScanError TREE_NOT_SERIALISABLE as {@link fileHead}, or for its target */
export function symlinkNode(place: NodePlace, target: ByteString): Buffer {
  if (target === '' || target.length > LIMITS.narTargetBytes || target.includes('\0')) {
    refuse(`the target of a symbolic link has ${target.length} bytes, or a NUL byte`);
  }
  return Buffer.concat([nodeHead(place), LINK_HEAD, tokens(target), nodeTail(place.name)]);
}

/** What stands before the entries of a directory. @throws NarScanError as {@link fileHead} */
export function directoryHead(place: NodePlace): Buffer {
  return Buffer.concat([nodeHead(place), DIRECTORY]);
}

/** What follows the entries of a directory, which come in the order of their bytes. */
export function directoryTail({ name }: NodePlace): Buffer {
  return nodeTail(name);
}

function nodeHead({ name, depth }: NodePlace): Buffer {
  if (depth >= LIMITS.narDepth) refuse(`directories nest deeper than ${LIMITS.narDepth}`);
  if (name === null) return ROOT_HEAD;
  if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name))
    refuse('no entry may have such a name');
  if (name.length > LIMITS.narNameBytes) refuse(`an entry name has ${name.length} bytes`);
  return Buffer.concat([ENTRY_HEAD, tokens(name), NODE_HEAD]);
}

function nodeTail(name: ByteString | null): Buffer {
  return name === null ? ROOT_TAIL : ENTRY_TAIL;
}

function refuse(message: string): never {
  throw new NarScanError('TREE_NOT_SERIALISABLE', message);
}
