import type { NarHandler } from '../../src/formats/nar/handler.ts';
import { NarParser, narTrailing } from '../../src/formats/nar/parser.ts';
import { NarScanError } from '../../src/model/errors.ts';
import type { NarTree } from './narWriter.ts';

/** Notes what a NAR parser says, one line each; the slices of one file's contents become one line. */
export class NarRecorder implements NarHandler {
  readonly lines: string[] = [];
  #contents: string[] = [];
  #inContents = false;

  directory(path: string): void {
    this.lines.push(`directory ${path}`);
  }

  symlink(path: string, target: string): void {
    this.lines.push(`symlink ${path} -> ${target}`);
  }

  file(path: string, executable: boolean, size: number): void {
    this.lines.push(`${executable ? 'executable' : 'file'} ${path} of ${size}`);
  }

  contents(chunk: Uint8Array, start: number, end: number): void {
    if (end <= start) throw new Error('an empty slice of contents');
    if (!this.#inContents) this.lines.push('');
    this.#inContents = true;
    this.#contents.push(Buffer.from(chunk.subarray(start, end)).toString('latin1'));
    this.lines[this.lines.length - 1] = `contents ${this.#contents.join('')}`;
  }

  fileEnd(): void {
    this.lines.push('end of file');
    this.#contents = [];
    this.#inContents = false;
  }
}

/** The lines that a tree's NAR must lead to. */
export function linesOf(tree: NarTree, path = ''): string[] {
  switch (tree.type) {
    case 'symlink':
      return [`symlink ${path} -> ${tree.target}`];
    case 'file': {
      const head = `${tree.executable ? 'executable' : 'file'} ${path} of ${tree.contents.length}`;
      const body = tree.contents.length === 0 ? [] : [`contents ${tree.contents.toString('latin1')}`];
      return [head, ...body, 'end of file'];
    }
    case 'directory':
      return [
        `directory ${path}`,
        ...tree.entries.flatMap(([name, child]) => linesOf(child, path === '' ? name : `${path}/${name}`)),
      ];
  }
}

export interface Outcome {
  readonly lines: readonly string[];
  /** Where the parser stood at the end. */
  readonly path: string;
  readonly error: { readonly code: string; readonly offset: number | null } | null;
}

/** [start, end) of each chunk when `size` bytes are cut into chunks of these sizes, over and over. */
export function slices(size: number, chunkSizes: readonly number[]): (readonly [number, number])[] {
  const result: [number, number][] = [];
  for (let at = 0, index = 0; at < size; index++) {
    const end = Math.min(size, at + Math.max(1, chunkSizes[index % chunkSizes.length] ?? size));
    result.push([at, end]);
    at = end;
  }
  return result;
}

/** Parses bytes cut as {@link slices} says; what follows the NAR is an error. Errors other than NarScanError are thrown. */
export function outcomeOf(bytes: Uint8Array, chunkSizes: readonly number[] = [bytes.length]): Outcome {
  const recorder = new NarRecorder();
  const parser = new NarParser(recorder);
  let error: Outcome['error'] = null;
  try {
    for (const [start, end] of slices(bytes.length, chunkSizes)) {
      // A copy of its own for each chunk: what was cut off is truly not there.
      const chunk = Uint8Array.from(bytes.subarray(start, end));
      if (parser.push(chunk, 0, chunk.length) < chunk.length) throw narTrailing(parser.offset);
    }
    parser.end();
  } catch (thrown) {
    if (!(thrown instanceof NarScanError)) throw thrown;
    error = { code: thrown.code, offset: thrown.offset };
  }
  return { lines: recorder.lines, path: parser.path, error };
}
