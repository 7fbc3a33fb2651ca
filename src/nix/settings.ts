import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where Nix is configured where nothing else is said. */
const SYSTEM_CONFIGURATION = '/etc/nix';
/** XDG_CONFIG_DIRS where it is not set. */
const CONFIGURATION_DIRS = '/etc/xdg';

/**
 * The file of credentials that Nix fetches and sends with: the setting `netrc-file` of its command line, else of
 * `NIX_CONFIG`, else of the user's and then the system's `nix.conf`, else `netrc` beside the latter. What those files
 * include is not looked at. (Nix: src/libstore/globals.cc, `loadConfFile` and `nixUserConfFiles`; src/libutil/users.cc.)
 *
 * @param flags of the command line of `nix`
 */
export function netrcFileOf(flags: readonly string[], environment: NodeJS.ProcessEnv): string {
  const file = flagged(flags, 'netrc-file') ?? settingOf('netrc-file', environment);
  return file ?? join(systemFolder(environment), 'netrc');
}

/** What a setting of Nix is by `NIX_CONFIG` and the files `nix.conf`; null where they do not say. */
export function settingOf(name: string, environment: NodeJS.ProcessEnv): string | null {
  const said = settingIn(environment['NIX_CONFIG'] ?? '', name);
  if (said !== null) return said;
  for (const file of [...userFiles(environment), join(systemFolder(environment), 'nix.conf')]) {
    const value = settingIn(textOf(file), name);
    if (value !== null) return value;
  }
  return null;
}

function systemFolder(environment: NodeJS.ProcessEnv): string {
  // one that is empty is none, to Nix, too
  return environment['NIX_CONF_DIR'] || SYSTEM_CONFIGURATION;
}

/** The user's files, the one that counts most first. */
function userFiles(environment: NodeJS.ProcessEnv): readonly string[] {
  const named = environment['NIX_USER_CONF_FILES'];
  if (named !== undefined) return partsOf(named);
  const shared = partsOf(environment['XDG_CONFIG_DIRS'] ?? CONFIGURATION_DIRS);
  const folders = [ownFolder(environment), ...shared.map((folder) => join(folder, 'nix'))];
  return folders.filter((folder) => folder !== null).map((folder) => join(folder, 'nix.conf'));
}

/** The user's own, where there is a place for it; old versions of Nix do not know the first name. */
function ownFolder(environment: NodeJS.ProcessEnv): string | null {
  const named = environment['NIX_CONFIG_HOME'];
  if (named !== undefined) return named;
  const home = environment['HOME'] ?? '';
  const configuration = environment['XDG_CONFIG_HOME'] ?? (home === '' ? '' : join(home, '.config'));
  return configuration === '' ? null : join(configuration, 'nix');
}

function partsOf(list: string): readonly string[] {
  return list.split(':').filter((part) => part !== '');
}

/** Of `--NAME VALUE` and `--option NAME VALUE` the last. */
function flagged(flags: readonly string[], name: string): string | null {
  let value: string | null = null;
  for (const [at, flag] of flags.entries()) {
    if (flag === `--${name}`) value = flags[at + 1] ?? null;
    if (flag === '--option' && flags[at + 1] === name) value = flags[at + 2] ?? null;
  }
  return value;
}

/** Of the lines `NAME = VALUE` the last. */
function settingIn(text: string, name: string): string | null {
  let value: string | null = null;
  for (const line of text.split('\n')) {
    const [said = ''] = line.split('#', 1);
    const [key, equals, ...words] = said.trim().split(/\s+/);
    if (key === name && equals === '=') value = words.join(' ');
  }
  return value;
}

/** '' for what cannot be read: Nix tells of that itself. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
