import { exactText, type ByteString } from '../../model/bytes.ts';
import { LIMITS } from '../../model/limits.ts';
import type { EntryObserver } from '../../sources/narEntries.ts';

/**
 * The listing of a NAR as Nix writes it beside the narinfo, `<hash part>.ls`: an object with `version` 1 and `root`,
 * where every entry has its `type`, a file its `size`, its place in the NAR and whether it is `executable`, a link its
 * `target`, a directory its `entries`. (Nix: src/libutil/nar-listing.cc; binary-cache-store.cc.) Made of the entries as
 * they come, in bounded memory.
 */
export class NarListing implements EntryObserver {
  readonly #pieces: string[] = ['{"version":1,"root":'];
  #length = 0;
  /** Directories that are open. */
  #depth = 0;
  /** Whether the innermost open directory has an entry already. */
  #hasEntries = false;
  #isWhole = true;

  directory(path: ByteString): void {
    this.#entry(path, '{"type":"directory","entries":{');
    this.#depth++;
    this.#hasEntries = false;
  }

  symlink(path: ByteString, target: ByteString): void {
    const text = exactText(target);
    if (text === null) this.#isWhole = false;
    else this.#entry(path, `{"type":"symlink","target":${JSON.stringify(text)}}`);
  }

  file(path: ByteString, executable: boolean, size: number, offset: number): void {
    const mode = executable ? ',"executable":true' : '';
    this.#entry(path, `{"type":"regular","size":${size}${mode},"narOffset":${offset}}`);
  }

  /** The listing of the NAR that is complete; null where it is too long, or a name or a target is no text. */
  text(): string | null {
    if (!this.#isWhole) return null;
    this.#close(0);
    return `${this.#pieces.join('')}}`;
  }

  #entry(path: ByteString, node: string): void {
    if (!this.#isWhole) return;
    const text = path === '' ? '' : this.#named(path);
    this.#length += text.length + node.length;
    this.#isWhole &&= this.#length <= LIMITS.listingLength;
    if (this.#isWhole) this.#pieces.push(text, node);
    else this.#pieces.length = 0;
  }

  /** What stands before an entry of a directory. */
  #named(path: ByteString): string {
    const parts = path.split('/');
    this.#close(parts.length);
    const name = exactText(parts.at(-1) ?? '');
    if (name === null) this.#isWhole = false;
    const separator = this.#hasEntries ? ',' : '';
    this.#hasEntries = true;
    return `${separator}${JSON.stringify(name)}:`;
  }

  /** Ends the directories that are deeper than `depth`. */
  #close(depth: number): void {
    if (this.#depth <= depth) return;
    this.#pieces.push('}}'.repeat(this.#depth - depth));
    this.#depth = depth;
    this.#hasEntries = true;
  }
}
