import { parentPort, workerData } from 'node:worker_threads';
import type { InspectionData, Job } from './jobs.ts';
import { InspectionWorker } from './worker.ts';

/* The thread of one worker: a job comes, its outcome goes. */

const port = parentPort;
if (port === null) throw new Error('this module runs in a worker thread only');
const worker = new InspectionWorker(workerData as InspectionData);
port.on('message', (job: Job) => {
  void worker.run(job).then((outcome) => port.postMessage(outcome));
});
