/** Does some of an object's methods in its place, and leaves the others to it. */
export function overriding<T extends object>(whole: T, own: Partial<T>): T {
  return new Proxy(whole, {
    get: (_, key) => {
      const owner = key in own ? own : whole;
      const value: unknown = Reflect.get(owner, key);
      return typeof value === 'function' ? value.bind(owner) : value;
    },
  });
}
