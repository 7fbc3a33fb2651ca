import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { LIMITS } from '../../model/limits.ts';

const TOKEN = /^([0-9a-z]{1,11})\.([0-9a-zA-Z_-]{43})$/;

/**
 * Tokens that show that a form comes from a page of this server: its browser sends the password of a caller along with
 * whatever page of another server asks it to. Each is for one caller and one form, and the key lives as long as this
 * does.
 */
export class FormTokens {
  readonly #key = randomBytes(32);
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** @param action path that the form is sent to */
  make(caller: string, action: string): string {
    const time = this.#now().toString(36);
    return `${time}.${this.#sum(caller, action, time).toString('base64url')}`;
  }

  /** Whether a token was made for this, not too long ago. */
  accepts(token: string, caller: string, action: string): boolean {
    const [, time = '', sum = ''] = TOKEN.exec(token) ?? [];
    const isRight = timingSafeEqual(
      createHmac('sha256', this.#key).update(sum).digest(),
      createHmac('sha256', this.#key)
        .update(this.#sum(caller, action, time).toString('base64url'))
        .digest(),
    );
    const age = this.#now() - Number.parseInt(time, 36);
    return isRight && age >= 0 && age <= LIMITS.reviewFormMilliseconds;
  }

  #sum(caller: string, action: string, time: string): Buffer {
    return createHmac('sha256', this.#key)
      .update(JSON.stringify([caller, action, time]))
      .digest();
  }
}
