import type { Existence } from '../../nix/canonicalize.ts';
import type { LinkMode } from '../../nix/realpath.ts';
import type { ByteString } from '../../model/bytes.ts';

interface Option {
  /** Long names, without the dashes; help tells them all. */
  readonly names: readonly string[];
  readonly short?: string;
  /** How help calls its value; null for a switch. */
  readonly value: 'DIR' | null;
  readonly help: string;
  /** Not GNU's: its name is not shortened, so that what is short for one of GNU's stays so. */
  readonly own?: true;
}

/** The one table of options. The first ones are GNU realpath's. */
export const OPTIONS = [
  {
    names: ['canonicalize'],
    short: 'E',
    value: null,
    help: 'all but the last component must exist (default)',
  },
  {
    names: ['canonicalize-existing'],
    short: 'e',
    value: null,
    help: 'all components of the path must exist',
  },
  {
    names: ['canonicalize-missing'],
    short: 'm',
    value: null,
    help: 'no component needs to exist or be a directory',
  },
  { names: ['logical'], short: 'L', value: null, help: "resolve '..' before symbolic links" },
  { names: ['physical'], short: 'P', value: null, help: 'resolve symbolic links where they stand (default)' },
  { names: ['quiet'], short: 'q', value: null, help: 'print no message for a path that cannot be resolved' },
  { names: ['relative-to'], value: 'DIR', help: 'print paths relative to DIR' },
  { names: ['relative-base'], value: 'DIR', help: 'print paths below DIR relative, others absolute' },
  { names: ['strip', 'no-symlinks'], short: 's', value: null, help: 'follow no symbolic links' },
  { names: ['zero'], short: 'z', value: null, help: 'end each path with a zero byte, not a line break' },
  {
    names: ['store-dir'],
    value: 'DIR',
    own: true,
    help: 'the logical store directory (else NIX_STORE_DIR, NIX_STORE, /nix/store)',
  },
  {
    names: ['state-dir'],
    value: 'DIR',
    own: true,
    help: 'the state directory (else NIX_STATE_DIR, /nix/var/nix)',
  },
  {
    names: ['sh'],
    value: null,
    own: true,
    help: 'print a function nix_realpath for POSIX sh, for builds without Node.js',
  },
  { names: ['help'], value: null, help: 'print this help' },
  { names: ['version'], value: null, help: 'print the version' },
] as const satisfies readonly Option[];

/** A command line that was understood. */
export interface Request {
  readonly existence: Existence;
  readonly links: LinkMode;
  readonly quiet: boolean;
  readonly zero: boolean;
  readonly relativeTo: ByteString | null;
  readonly relativeBase: ByteString | null;
  readonly storeDir: ByteString | null;
  readonly stateDir: ByteString | null;
  readonly operands: readonly ByteString[];
}

/** A command line that cannot be understood: the message is one line, in the words of getopt_long(3). */
export class UsageFault extends Error {
  override readonly name = 'UsageFault';
}

/** Options that do something else than resolving. */
const ALONE = ['help', 'version', 'sh'] as const;

type Name = (typeof OPTIONS)[number]['names'][0];

/**
 * Reads a command line as getopt_long(3) does: options among the operands unless `posixly`, short ones
 * together, long ones shortened while that is clear, `--` before operands.
 *
 * @returns what stands alone (help, version, sh) as its name
 * @throws UsageFault
 */
export function readOptions(
  words: readonly ByteString[],
  posixly: boolean,
): Request | (typeof ALONE)[number] {
  const operands: ByteString[] = [];
  const values = new Map<Name, ByteString>();
  let [existence, links]: [Existence, LinkMode] = ['all-but-last', 'physical'];
  const take = (name: Name, value: ByteString): void => {
    values.set(name, value);
    if (name === 'canonicalize-existing') existence = 'all';
    else if (name === 'canonicalize-missing') existence = 'none';
    else if (name === 'canonicalize') existence = 'all-but-last';
    else if (name === 'strip') links = 'none';
    else if (name === 'logical' || name === 'physical') links = name;
  };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const next = words[at + 1];
    if (word === '--' || (posixly && !isOption(word))) {
      operands.push(...words.slice(word === '--' ? at + 1 : at));
      break;
    }
    if (!isOption(word)) operands.push(word);
    else if (word.startsWith('--')) at += readLong(word, next, take);
    else readShort(word, take);
    // what stands behind them does not matter
    const alone = ALONE.find((name) => values.has(name));
    if (alone !== undefined) return alone;
  }
  const value = (name: Name): ByteString | null => values.get(name) ?? null;
  return {
    existence,
    links,
    quiet: values.has('quiet'),
    zero: values.has('zero'),
    relativeTo: value('relative-to'),
    relativeBase: value('relative-base'),
    storeDir: value('store-dir'),
    stateDir: value('state-dir'),
    operands,
  };
}

function isOption(word: ByteString): boolean {
  return word.startsWith('-') && word !== '-';
}

/** @returns how many words besides its own it took */
function readLong(
  word: ByteString,
  next: ByteString | undefined,
  take: (name: Name, value: ByteString) => void,
): 0 | 1 {
  const equals = word.indexOf('=');
  const said = word.slice(2, equals < 0 ? undefined : equals);
  const { option, name } = longOption(said, word);
  if (option.value === null) {
    if (equals >= 0) throw new UsageFault(`option '--${name}' doesn't allow an argument`);
    take(option.names[0], '');
    return 0;
  }
  const value = equals < 0 ? next : word.slice(equals + 1);
  if (value === undefined) throw new UsageFault(`option '--${name}' requires an argument`);
  take(option.names[0], value);
  return equals < 0 ? 1 : 0;
}

function longOption(
  said: ByteString,
  word: ByteString,
): { readonly option: (typeof OPTIONS)[number]; readonly name: string } {
  const all = OPTIONS.flatMap((option: (typeof OPTIONS)[number]) =>
    option.names.map((name: string) => ({ option, name })),
  );
  const exact = all.find(({ name }) => name === said);
  if (exact !== undefined) return exact;
  const near = all.filter(({ option, name }) => !('own' in option) && name.startsWith(said));
  const [first] = near;
  if (first === undefined) throw new UsageFault(`unrecognized option '${word}'`);
  if (near.some(({ option }) => option !== first.option)) {
    const names = near.map(({ name }) => `'--${name}'`).join(' ');
    throw new UsageFault(`option '${word}' is ambiguous; possibilities: ${names}`);
  }
  return first;
}

function readShort(word: ByteString, take: (name: Name, value: ByteString) => void): void {
  for (const letter of word.slice(1)) {
    const option = OPTIONS.find((candidate) => 'short' in candidate && candidate.short === letter);
    if (option === undefined) throw new UsageFault(`invalid option -- '${letter}'`);
    take(option.names[0], '');
  }
}
