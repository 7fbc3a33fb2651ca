/** Flags of `nix copy` that say what is sent, from where and where to: that is not for Nix to be told here. */
const OURS: ReadonlySet<string> = new Set(
  (
    '--from --to --store --eval-store --all --stdin --recursive -r --no-recursive --derivation --drv ' +
    '--profile --inputs-from --file -f --expr -E --arg --argstr'
  ).split(' '),
);

/** Settings that would say where from. */
const OUR_SETTINGS: ReadonlySet<string> = new Set(['store']);

/** Flags with one value. Others than these take none, or are said as `--option NAME VALUE`. */
const WITH_VALUE: ReadonlySet<string> = new Set(
  (
    '--log-format --max-jobs -j --cores --connect-timeout --download-attempts --http-connections ' +
    '--stalled-download-timeout --netrc-file --ssl-cert-file --experimental-features ' +
    '--extra-experimental-features'
  ).split(' '),
);

/**
 * Why words cannot be passed on to `nix copy`, or null if they can: none may add to what is sent, and none
 * may take words for its value that follow. Whether a flag exists is left to Nix.
 */
export function refuseNixFlags(words: readonly string[]): string | null {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const [flag = ''] = word.split('=', 1);
    const ours = [flag, ...shortFlags(word)].find((name) => OURS.has(name));
    if (ours !== undefined) return `${ours} cannot be passed on to nix copy`;
    if (!isFlag(word)) {
      return `'${word}' cannot be passed on to nix copy: what is sent stands before --, settings are --option NAME VALUE`;
    }
    const wanted = word === '--option' ? 2 : Number(WITH_VALUE.has(word));
    const values = words.slice(at + 1, at + 1 + wanted);
    if (values.length < wanted) return `${word} lacks a value`;
    if (word === '--option' && OUR_SETTINGS.has(values[0] ?? '')) {
      return `--option ${values[0]} cannot be passed on to nix copy`;
    }
    at += values.length;
  }
  return null;
}

/** `-` and `--` are none: what follows would be sent. */
function isFlag(word: string): boolean {
  return word.startsWith('-') && word !== '-' && word !== '--';
}

/** Nix takes `-vL` for `-v -L`. */
function shortFlags(word: string): readonly string[] {
  return /^-[a-zA-Z]/.test(word) ? Array.from(word.slice(1), (letter) => `-${letter}`) : [];
}
