/** The little of the WebAssembly API that the kernel uses: TypeScript has it only in its DOM library. */
declare namespace WebAssembly {
  /** Structured clone hands it to worker threads. */
  class Module {
    constructor(bytes: Uint8Array);
    private readonly compiled;
    static exports(module: Module): { readonly name: string; readonly kind: string }[];
    static imports(
      module: Module,
    ): { readonly module: string; readonly name: string; readonly kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, unknown>>);
    readonly exports: Record<string, unknown>;
  }
  /** Sizes in pages of 64 KiB. */
  class Memory {
    constructor(size: { readonly initial: number; readonly maximum?: number });
    readonly buffer: ArrayBuffer;
  }
  interface Global {
    readonly value: unknown;
  }
  class CompileError extends Error {}
}
