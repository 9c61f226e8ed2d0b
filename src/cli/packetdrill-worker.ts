/** A thread that runs scripts one after the other, as they are handed to it. */
import { parentPort, workerData } from "node:worker_threads";
import { type Job, type JobSettings, runJob } from "./packetdrill-jobs.ts";

const settings = workerData as JobSettings;
const port = parentPort!;
port.on("message", (job: Job) => {
  port.postMessage({ index: job.index, report: runJob(job, settings) });
});
