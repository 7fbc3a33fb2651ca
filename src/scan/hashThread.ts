import { createHash } from 'node:crypto';
import { workerData } from 'node:worker_threads';
import { DISCARD, EXIT, FINISH, HashRing } from './hashRing.ts';

/* The thread behind a ThreadHasher: hashes what comes through the ring until it is told to end. */

const shared = new HashRing(workerData as SharedArrayBuffer);
const { ring } = shared;
let hash = createHash('sha256');
for (let next = ring.next(); next !== EXIT; next = ring.next()) {
  if (typeof next !== 'number') {
    hash.update(next);
  } else {
    if (next === FINISH) shared.putDigest(hash.digest());
    if (next === FINISH || next === DISCARD) hash = createHash('sha256');
  }
  ring.taken();
}
