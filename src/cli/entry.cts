/*
 * The first code that runs. It must parse on every Node that may be found on a machine, to say what
 * is wrong with it, so: old syntax, CommonJS, no import but the last one.
 */

/* oxlint-disable no-var */

function fits(version: string): boolean {
  var parts = version.split('.');
  var major = Number(parts[0]);
  /* 23 was a short-lived line whose early releases lack what 22.18 has. */
  return (major === 22 && Number(parts[1]) >= 18) || major >= 24;
}

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

if (fits(process.versions.node)) {
  try {
    var directory = cacheDirectory();
    if (directory !== null) (require('module') as typeof import('module')).enableCompileCache(directory);
  } catch (error) {
    /* Without a cache everything works, only slower: an unreadable home is no reason to stop. */
    void error;
  }
  void import('./main.ts').then(function (main) {
    return main.main();
  });
} else {
  process.stderr.write(
    'nar-scan: Node.js ' +
      process.versions.node +
      ' at ' +
      process.execPath +
      ' is too old; set NAR_SCAN_NODE to 22.18 or newer (of 22), or 24 or newer\n',
  );
  process.exitCode = 2;
}
