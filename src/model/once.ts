/** What `make` gives, made when it is first asked for: what takes a while and is seldom needed. */
export function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}
