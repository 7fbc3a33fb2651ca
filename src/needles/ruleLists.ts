import { byteStringOfText, type ByteString } from '../model/bytes.ts';

/** User names that mean nobody: documentation, templates, shared folders and CI services. */
const PLACEHOLDERS = [
  'user username user_name user-name USER USERNAME users yourname your-name your_name yourusername',
  'your_username your-username youruser you yourself myuser myusername myname me name someone somebody',
  'someuser anyuser example foo bar baz xxx runner linuxbrew Shared Public Default All',
]
  .join(' ')
  .split(' ');

/** Where images and installers mount the store, or what they call it: an alias there is a note. */
const IMAGE_PREFIXES = ['/sysroot', '/mnt', '/mnt-root', '/rootfs', '/nix/.ro-store', '/nix/.rw-store'];

/** How a built-in list is changed; what is removed wins. */
export interface ListEdit {
  readonly add: readonly string[];
  readonly remove: readonly string[];
}

/** What a policy changes of the lists that the rules consult. Serialisable. */
export interface RuleEdits {
  /** Paths that are no leak, nor anything below them. */
  readonly allow: readonly string[];
  readonly placeholders: ListEdit;
  readonly imagePrefixes: ListEdit;
}

/** The lists that the rules consult. */
export interface RuleLists {
  readonly allow: readonly ByteString[];
  readonly placeholders: ReadonlySet<ByteString>;
  readonly imagePrefixes: ReadonlySet<ByteString>;
}

const UNCHANGED: ListEdit = Object.freeze({ add: [], remove: [] });

/** Nothing is changed. */
export const NO_EDITS: RuleEdits = Object.freeze({
  allow: [],
  placeholders: UNCHANGED,
  imagePrefixes: UNCHANGED,
});

/** The built-in lists as they were changed. */
export function ruleLists({ allow, placeholders, imagePrefixes }: RuleEdits = NO_EDITS): RuleLists {
  return {
    allow: allow.map(byteStringOfText),
    placeholders: edited(PLACEHOLDERS, placeholders),
    imagePrefixes: edited(IMAGE_PREFIXES, imagePrefixes),
  };
}

function edited(builtIn: readonly string[], { add, remove }: ListEdit): ReadonlySet<ByteString> {
  const items = new Set([...builtIn, ...add].map(byteStringOfText));
  for (const item of remove) items.delete(byteStringOfText(item));
  return items;
}
