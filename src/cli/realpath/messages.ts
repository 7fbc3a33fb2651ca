/** What strerror(3) says, in the words of GNU's C library. */
const MESSAGES: Readonly<Record<string, string>> = {
  EACCES: 'Permission denied',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENODEV: 'No such device',
  ENOENT: 'No such file or directory',
  ENOMEM: 'Cannot allocate memory',
  ENOSPC: 'No space left on device',
  ENOTCONN: 'Transport endpoint is not connected',
  ENOTDIR: 'Not a directory',
  EPERM: 'Operation not permitted',
  ESTALE: 'Stale file handle',
};

/** The text of a system error by its name, such as ENOENT; the name itself where it has none here. */
export function messageOf(code: string): string {
  return MESSAGES[code] ?? code;
}
