import { NarScanError } from '../model/errors.ts';
import type { Engine } from './scanCommand.ts';

/** The engine of this program. */
export const engine: Engine = {
  origin: () => Promise.resolve({ kernel: 'none', rules: '' }),
  scan: () => Promise.reject(new NarScanError('INTERNAL', 'no engine is built in yet')),
};
