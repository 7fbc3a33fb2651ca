import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { fsPath, type ByteString } from '../model/bytes.ts';
import { NarScanError } from '../model/errors.ts';
import type { GapReason } from '../model/facts.ts';
import { LimitReached } from '../inspect/containers/budget.ts';
import type { Window } from '../inspect/window.ts';
import { FdSource, readFull, RunEnded, type ByteSource } from './byteSource.ts';
import { identityOf } from './fileContents.ts';
import type { Inspection } from './inspection.ts';
import type { StreamOutput } from './narStream.ts';
import { codecOf, decodeHere, Packed, PACKED_BYTES } from './packed.ts';
import { PackedSearch } from './packedSearch.ts';
import { SharedNar, type Sharing } from './sharedNar.ts';
import { refusalGap } from './refusal.ts';
import { openStdin } from './stdin.ts';
import { type NarTargetOptions, StreamTarget } from './streamTarget.ts';

/** Scans what is to be read from standard input. */
export async function scanStdin(
  window: Window,
  inspection: Inspection,
  options: NarTargetOptions,
): Promise<readonly StreamOutput[]> {
  using stdin = await openStdin(() => options.passed(0));
  return await scanSource(stdin.source, null, window, inspection, options);
}

/**
 * Scans a file that holds a NAR or an export stream, compressed or not.
 * @param sharing who takes contents of a NAR that is not compressed, which are not among the facts then
 * @throws the system's error when the file cannot be opened
 */
export async function scanNarFile(
  path: ByteString,
  window: Window,
  inspection: Inspection,
  options: NarTargetOptions,
  sharing: Sharing | null = null,
): Promise<readonly StreamOutput[]> {
  const fd = openSync(fsPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) {
      // what is read of it may come from somebody who takes his time
      const scan = new StreamTarget(window, inspection, options);
      return await scan.broken('special-file', 'became something else than a file while it was scanned');
    }
    const name = path.slice(path.lastIndexOf('/') + 1);
    const identity = identityOf(stat);
    if (sharing !== null && identity !== null) {
      const elsewhere = new SharedNar(fd, { path, identity, offset: 0, size: stat.size }, sharing);
      return await scanSource(elsewhere, name, window, inspection, { ...options, elsewhere });
    }
    const source = new FdSource(fd, stat.size, () => options.passed(0));
    return await scanSource(source, name, window, inspection, options);
  } finally {
    closeSync(fd);
  }
}

/** Scans one stream of bytes; faults of reading and decoding become gaps. */
export async function scanSource(
  source: ByteSource,
  name: string | null,
  window: Window,
  inspection: Inspection,
  options: NarTargetOptions,
): Promise<readonly StreamOutput[]> {
  const scan = new StreamTarget(window, inspection, options);
  const { turns } = options.budget;
  let search: PackedSearch | null = null;
  try {
    const { memory, start, size } = window;
    let count = readFull(source, memory, start, Math.min(size, PACKED_BYTES));
    const codec = await codecOf(memory.subarray(start, start + Math.min(count, 64)), name);
    options.packed?.(codec ?? 'none');
    if (codec === null) {
      scan.decoding = false;
      scan.range = (offset, length) => source.range(offset, length);
      for (; count > 0; count = source.read(memory, start, size)) {
        scan.chunk(count);
        options.elsewhere?.goOn(scan.position);
        if (scan.waits) await scan.open();
        if (turns?.due === true) await turns.pass();
      }
      return scan.end();
    }
    const head = Buffer.from(memory.subarray(start, start + count));
    search = new PackedSearch(codec, inspection.packed(), options.facts);
    const packed = new Packed(head, source, search);
    const { decode = decodeHere } = options;
    const length = count < PACKED_BYTES ? count : source.length;
    await scan.unpack(await decode(codec, packed, length));
    const outputs = scan.end();
    search.end(outputs);
    return outputs;
  } catch (error) {
    const outputs = await scan.broken(...gapOf(error));
    search?.end(outputs);
    return outputs;
  }
}

/** What a fault of reading or decoding means for the report. Anything else is a fault of the program. */
function gapOf(error: unknown): [GapReason, string] {
  if (error instanceof RunEnded) return ['limit-time', 'the scan was ended before all was read'];
  if (error instanceof LimitReached) return [error.reason, error.message];
  if (error instanceof NarScanError) {
    const detail = `${error.code}: ${error.message}`;
    if (error.code === 'COMPRESSION_TRUNCATED') return ['truncated', detail];
    if (error.code === 'COMPRESSION_MEMORY') return ['limit-memory', detail];
    if (error.code === 'COMPRESSION_UNSUPPORTED') return ['unsupported', detail];
    if (error.code.startsWith('COMPRESSION_')) return ['corrupt', detail];
    throw error;
  }
  const { reason, detail } = refusalGap(error);
  return [reason, detail];
}
