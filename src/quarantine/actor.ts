import { hostname, userInfo } from 'node:os';

const NAME_MOST = 128;

/** Whoever runs this program, or under sudo had it run: `alice@host`. */
export function actorOf(environment: NodeJS.ProcessEnv): string {
  const sudo = environment['SUDO_USER'] ?? '';
  return `${(sudo === '' ? userName() : sudo).slice(0, NAME_MOST)}@${hostname().slice(0, NAME_MOST)}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // a user whom no database knows
    return `uid ${process.geteuid?.() ?? 'unknown'}`;
  }
}
