/* Like the entry files that ask it, this must parse on every Node: old syntax. */

/* oxlint-disable no-var */

/*
 * Compiled code is cached only in a directory of the user who runs this: in a shared one, such as
 * Node's own choice below /tmp, others could plant code. A home that does not exist stays so.
 */
function cacheDirectory(): string | null {
  var fs = require('fs') as typeof import('fs');
  var uid = process.getuid ? process.getuid() : -1;
  var environment = process.env;
  var home = environment['HOME'] ? environment['HOME'] + '/.cache' : '';
  var candidates = [environment['XDG_CACHE_HOME'] || '', home, uid === 0 ? '/var/cache' : ''];
  for (var at = 0; at < candidates.length; at++) {
    var folder = candidates[at];
    if (!folder || folder.charAt(0) !== '/') continue;
    var status = fs.statSync(folder, { throwIfNoEntry: false });
    if (status && status.isDirectory() && status.uid === uid && (status.mode & 18) === 0) {
      return folder + '/nar-scan/compiled';
    }
  }
  return null;
}

/**
 * Has Node keep the code that it compiles, for the next start.
 *
 * @public to the entry files, which do not import it
 */
export function cacheCompiledCode(): void {
  try {
    var directory = cacheDirectory();
    if (directory !== null) (require('module') as typeof import('module')).enableCompileCache(directory);
  } catch (error) {
    /* Without a cache everything works, only slower: an unreadable home is no reason to stop. */
    void error;
  }
}
