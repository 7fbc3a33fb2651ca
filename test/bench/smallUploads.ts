/**
 * node test/bench/smallUploads.ts PORT FROM COUNT BYTES AT-ONCE: sends small NARs to a server, so many at once, and
 * prints as JSON when each was through and how long it took, and what was no success.
 */
import { Client, NumberedNar, type SmallUpload } from './load.ts';
import { noise } from './narBytes.ts';

const [port = 0, from = 0, count = 0, bytes = 0, atOnce = 1] = process.argv.slice(2).map(Number);
const errors: string[] = [];
const client = new Client(port, errors);
const block = noise(bytes);
const queue = Array.from({ length: count }, (_, index) => new NumberedNar(from + index, bytes, block));
const uploads: SmallUpload[] = [];

async function send(): Promise<void> {
  for (let nar = queue.pop(); nar !== undefined; nar = queue.pop()) {
    const milliseconds = await client.put(nar.name, nar.size, nar.pieces());
    uploads.push({ at: Date.now(), milliseconds });
  }
}

await Promise.all(Array.from({ length: atOnce }, send));
process.stdout.write(JSON.stringify({ uploads, errors }));
