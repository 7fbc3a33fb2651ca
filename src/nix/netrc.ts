/** Who asks a server, and the password. */
interface Login {
  readonly login: string;
  readonly password: string;
}

/** A word, or text in double quotes in which a backslash keeps the next character as it is. */
const WORDS = /"(?<quoted>(?:[^"\\]|\\.)*)"?|(?<plain>\S+)/g;

/**
 * The header `Authorization` for a server: of the user and the password in its URL, else of what netrc says of its
 * host; null for none. (curl, which Nix fetches and sends with, does the same.)
 * @param netrc gives the text of the file; asked only where the URL says nothing
 */
export function authorizationFor({ username, password, hostname }: URL, netrc: () => string): string | null {
  const found =
    username === '' && password === ''
      ? loginFor(hostname, netrc())
      : { login: decoded(username), password: decoded(password) };
  if (found === null) return null;
  return `Basic ${Buffer.from(`${found.login}:${found.password}`).toString('base64')}`;
}

/**
 * What a netrc text says about a host: its first `machine` of that name, or a `default` that comes before; null where
 * there is none, or no password for it. Macros, and lines that begin with `#`, say nothing.
 */
export function loginFor(host: string, netrc: string): Login | null {
  const words = wordsOf(netrc);
  for (let at = 0; at < words.length;) {
    const isDefault = words[at] === 'default';
    const isMachine = words[at] === 'machine';
    const isMeant = isDefault || (isMachine && words[at + 1]?.toLowerCase() === host.toLowerCase());
    const fields = new Map<string, string>();
    for (at += isMachine ? 2 : 1; isField(words[at]); at += 2)
      fields.set(words[at] ?? '', words[at + 1] ?? '');
    const password = fields.get('password');
    if (isMeant) return password === undefined ? null : { login: fields.get('login') ?? '', password };
  }
  return null;
}

function wordsOf(netrc: string): readonly string[] {
  const words: string[] = [];
  let inMacro = false;
  for (const line of netrc.split('\n')) {
    const text = line.trim();
    if (text === '') inMacro = false;
    if (inMacro || text.startsWith('#')) continue;
    for (const { groups = {} } of text.matchAll(WORDS)) {
      const { quoted, plain = '' } = groups;
      const word = quoted?.replaceAll(/\\(.)/g, '$1') ?? plain;
      // up to the next empty line
      inMacro = plain === 'macdef' && !isField(words.at(-1)) && words.at(-1) !== 'machine';
      if (inMacro) break;
      words.push(word);
    }
  }
  return words;
}

function isField(word: string | undefined): boolean {
  return word === 'login' || word === 'password' || word === 'account';
}

/** What is no percent-encoding stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
