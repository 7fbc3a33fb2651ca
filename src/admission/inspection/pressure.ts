/** Whether work waits for a thread, told to threads that are waiting themselves. */
export class Pressure {
  readonly shared: SharedArrayBuffer;
  readonly #words: Int32Array;

  /** @param shared of one in another thread; a new one where it is left out */
  constructor(shared: SharedArrayBuffer = new SharedArrayBuffer(4)) {
    this.shared = shared;
    this.#words = new Int32Array(shared);
  }

  get isOn(): boolean {
    return Atomics.load(this.#words, 0) === 1;
  }

  set isOn(on: boolean) {
    Atomics.store(this.#words, 0, Number(on));
  }
}
