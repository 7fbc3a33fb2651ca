import { LIMITS } from '../../model/limits.ts';

/**
 * Whether a client sends fast enough, so that nobody holds a connection open for nothing: asked at the end of
 * every window of time. In the first one anything goes.
 */
export class Pace {
  #bytes = 0;
  #free = true;

  arrived(bytes: number): void {
    this.#bytes += bytes;
  }

  /** This window says nothing about the client: it could not have sent. */
  excuse(): void {
    this.#free = true;
  }

  /** A window has ended. @returns whether too little came in it */
  isTooSlow(): boolean {
    const slow = !this.#free && this.#bytes < LIMITS.uploadWindowBytes;
    this.#bytes = 0;
    this.#free = false;
    return slow;
  }
}
