import { parentPort } from 'node:worker_threads';
import { type Assignment, Control, type WorkerData } from './protocol.ts';
import { spareOptimizer } from './thread.ts';
import { ScanWorker } from './worker.ts';

/* The thread of one worker. */

const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread only');
port.once('message', (data: WorkerData) => {
  const isLast = new Control(data.control).arrive() === data.threads;
  if (isLast && data.spareOptimizer) spareOptimizer(true);
  const worker = new ScanWorker(data, (message) => port.postMessage(message));
  port.on('message', (assignment: Assignment) => void worker.run(assignment));
});
