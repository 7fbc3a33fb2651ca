import type * as Sqlite from 'node:sqlite';

/**
 * Node's own SQLite, loaded when it is first wanted. Node says of it that it is experimental:
 * nothing for the user of this program.
 */
export function sqlite(): typeof Sqlite {
  const warn: unknown = Reflect.get(process, 'emitWarning');
  process.emitWarning = () => undefined;
  try {
    return process.getBuiltinModule('node:sqlite');
  } finally {
    Reflect.set(process, 'emitWarning', warn);
  }
}
