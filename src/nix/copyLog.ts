/**
 * Told how far Nix is with a path that it copies.
 * @param bytes of its NAR so far, which old versions do not tell; null: it is through with it
 */
export type CopyWatcher = (storePath: string, bytes: number | null) => void;

const PREFIX = '@nix ';
const COLORS = /\x1b\[[0-9;]*m/g;
/** Whole numbers of 64 bits, which are not parsed: they would be rounded. */
const ID = /"id":(?<id>[0-9]{1,20})\b/;
/** Nix: src/libutil/include/nix/util/logging.hh, `actCopyPath` and `resProgress`. */
const COPY_PATH = 100;
const PROGRESS = 105;

/** Reads the log that Nix writes for programs (`--log-format internal-json`), a line at a time. */
export class CopyLog {
  readonly #watch: CopyWatcher;
  /** Paths that are being copied, by the ids that Nix gives them. */
  readonly #copying = new Map<string, string>();

  constructor(watch: CopyWatcher) {
    this.#watch = watch;
  }

  /** @returns what it says to people, line by line: messages and errors, and whatever is no such log */
  read(line: string): readonly string[] {
    if (!line.startsWith(PREFIX)) return [line];
    const event = eventIn(line.slice(PREFIX.length));
    if (event === null) return [line];
    if (event['action'] === 'msg') return messageOf(event).split('\n');
    const id = ID.exec(line)?.groups?.['id'];
    if (id !== undefined) this.#follow(id, event);
    return [];
  }

  #follow(id: string, { action, type, fields }: LogEvent): void {
    const first: unknown = Array.isArray(fields) ? fields[0] : undefined;
    const storePath = this.#copying.get(id);
    if (action === 'start' && type === COPY_PATH && typeof first === 'string') {
      this.#copying.set(id, first);
    } else if (storePath !== undefined && action === 'result' && type === PROGRESS) {
      if (typeof first === 'number') this.#watch(storePath, first);
    } else if (storePath !== undefined && action === 'stop') {
      this.#copying.delete(id);
      this.#watch(storePath, null);
    }
  }
}

type LogEvent = Readonly<Record<string, unknown>>;

function eventIn(text: string): LogEvent | null {
  try {
    const event: unknown = JSON.parse(text);
    return typeof event === 'object' && event !== null ? (event as LogEvent) : null;
  } catch {
    return null;
  }
}

function messageOf({ msg }: LogEvent): string {
  return typeof msg === 'string' ? msg.replaceAll(COLORS, '') : '';
}
