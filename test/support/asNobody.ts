const NOBODY = 65_534;

/**
 * Runs `act` as somebody who may not read everything: as root, tests of permissions would see
 * nothing of them. Whoever else runs the tests stays who they are.
 */
export async function asNobody<T>(act: () => T | Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return await act();
  process.seteuid?.(NOBODY);
  try {
    return await act();
  } finally {
    process.seteuid?.(0);
  }
}
