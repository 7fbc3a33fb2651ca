import type { ByteString } from '../model/bytes.ts';
import { HOME_ROOTS } from '../needles/homes.ts';
import type { NeedleSet } from '../needles/compile.ts';
import type { LocalFinding } from './local.ts';
import type { Classifier, Leak } from './rules/classify.ts';
import { severityOf } from './rules/severity.ts';
import { leaksInText } from './rules/text.ts';

const ANCHORED_ROOTS = new Set<string>(HOME_ROOTS.map((root) => root.slice(1)));

/** Of a name in a file system, in bytes; longer ones are looked up whatever their length. */
const NAME_BYTES = 255;

function lastComponent(path: ByteString): ByteString {
  return path.slice(path.lastIndexOf('/') + 1);
}

/**
 * Leaks in the names of entries joined to paths: `$out/home/zoe/…`. The bytes of a NAR never show
 * them in one piece. Each is reported once, at the entry whose name completes it.
 */
export class EntryNames {
  readonly #set: NeedleSet;
  readonly #classifier: Classifier;
  /** Names of known users, last components of known homes and aliases: only there can a path complete one. */
  readonly #last: ReadonlySet<ByteString>;
  /** Their lengths, which tell most other names apart. */
  readonly #lengths = new Uint8Array(NAME_BYTES + 1);

  constructor(set: NeedleSet, classifier: Classifier) {
    this.#set = set;
    this.#classifier = classifier;
    this.#last = new Set([...set.users.keys(), ...[...set.homes, ...set.aliases].map(lastComponent)]);
    for (const { length } of this.#last) this.#lengths[length] = 1;
  }

  /** `parent` is the path of the directory in the output ('' for its root), `name` the entry's own name. */
  inspect(parent: ByteString, name: ByteString, isDirectory: boolean): LocalFinding | null {
    if (this.#lengths[name.length] !== 0 && this.#last.has(name)) {
      const known = this.#known(parent === '' ? `/${name}` : `/${parent}/${name}`, name);
      if (known !== null) return known;
    }
    if (ANCHORED_ROOTS.has(parent)) return this.#anchored(`/${parent}/${name}`);
    if (parent === '' && name === 'root' && isDirectory) {
      return finding(
        { rule: 'root-home', home: '/root', alias: null, hashPart: null, start: 0, end: 5, base: 'warning' },
        '/root',
      );
    }
    return null;
  }

  #known(path: ByteString, name: ByteString): LocalFinding | null {
    const ends = (literal: ByteString): boolean => path.endsWith(literal) && !this.#allowed(literal);
    const home = this.#set.homes.find(ends);
    if (home !== undefined) return known('known-home', home, home.length, path);
    const alias = this.#set.aliases.find(ends);
    if (alias !== undefined) return known('store-alias', alias, alias.length, path);
    // a user whose home is known, under another root
    const other = this.#set.users.get(name);
    const root = other === undefined ? undefined : HOME_ROOTS.find((each) => ends(`${each}/${name}`));
    if (other === undefined || root === undefined) return null;
    return known('known-home', other, root.length + 1 + name.length, path);
  }

  #allowed(literal: ByteString): boolean {
    return this.#set.lists.allow.some((path) => literal === path || literal.startsWith(`${path}/`));
  }

  #anchored(path: ByteString): LocalFinding | null {
    const leak = leaksInText(path, this.#set, this.#classifier).find((found) => found.start === 0);
    return leak === undefined ? null : finding(leak, path);
  }
}

/** A known home or alias that the last `length` bytes of a path spell. */
function known(
  rule: 'known-home' | 'store-alias',
  what: ByteString,
  length: number,
  path: ByteString,
): LocalFinding {
  const [home, alias] = rule === 'known-home' ? [what, null] : [null, what];
  const start = path.length - length;
  return finding({ rule, home, alias, hashPart: null, start, end: path.length, base: 'error' }, path);
}

function finding(leak: Leak, path: ByteString): LocalFinding {
  return nameFinding(leak, path, 1);
}

/** A leak in the name that a path is without its first `lead` bytes, which were put before it. */
export function nameFinding(leak: Leak, path: ByteString, lead: number): LocalFinding {
  return {
    rule: leak.rule,
    severity: severityOf(leak, 'entry-name'),
    carrier: 'entry-name',
    encoding: 'plain',
    home: leak.home,
    alias: leak.alias,
    hashPart: leak.hashPart,
    offset: null,
    evidence: path.slice(lead),
    marked: [Math.max(0, leak.start - lead), Math.min(leak.end, path.length) - lead],
    more: 0,
  };
}
