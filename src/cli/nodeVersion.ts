/* Like the entry files that ask it, this must parse on every Node: old syntax. */

/* oxlint-disable no-var */

/**
 * Whether this Node can run the programs. If not that was said on stderr, in one line, and the exit status is 2.
 *
 * @param program its name, for the message
 * @public to the entry files, which do not import it
 */
export function nodeFits(program: string): boolean {
  var parts = process.versions.node.split('.');
  var major = Number(parts[0]);
  /* 23 was a short-lived line whose early releases lack what 22.18 has. */
  if ((major === 22 && Number(parts[1]) >= 18) || major >= 24) return true;
  process.stderr.write(
    program +
      ': Node.js ' +
      process.versions.node +
      ' at ' +
      process.execPath +
      ' is too old; set NAR_SCAN_NODE to 22.18 or newer (of 22), or 24 or newer\n',
  );
  process.exitCode = 2;
  return false;
}
