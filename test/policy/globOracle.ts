/** What a glob of ASCII means, by trying everything: exponential, and simple enough to believe. */
export function globOracle(glob: string, value: string): boolean {
  const from = (g: number, v: number): boolean => {
    if (g === glob.length) return v === value.length;
    const rest = glob.slice(g);
    const anyRest = (next: number, accept: (skipped: string) => boolean): boolean => {
      for (let to = v; to <= value.length; to++) {
        if (accept(value.slice(v, to)) && from(next, to)) return true;
      }
      return false;
    };
    if (rest.startsWith('**/') && (g === 0 || glob[g - 1] === '/')) {
      return anyRest(g + 3, (skipped) => skipped === '' || skipped.endsWith('/'));
    }
    if (rest.startsWith('**')) return anyRest(g + 2, () => true);
    if (rest.startsWith('*')) return anyRest(g + 1, (skipped) => !skipped.includes('/'));
    if (rest.startsWith('?')) return v < value.length && value[v] !== '/' && from(g + 1, v + 1);
    if (rest.startsWith('\\x')) {
      const byte = String.fromCharCode(Number.parseInt(rest.slice(2, 4), 16));
      return value[v] === byte && from(g + 4, v + 1);
    }
    if (rest.startsWith('\\')) return value[v] === rest[1] && from(g + 2, v + 1);
    return value[v] === rest[0] && from(g + 1, v + 1);
  };
  return from(0, 0);
}
