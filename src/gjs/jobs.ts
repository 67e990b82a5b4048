/*
 * What is to be done soon, and in order: the reactions of LoopPromise. SpiderMonkey's own queue does not run in a main
 * context that is iterated from within one of its jobs; this one is emptied wherever it is told to.
 */

type Job = () => void;

let queue: Job[] = [];
let isRunning = false;
let onWaiting: () => void = () => undefined;

/** Has something done before the loop goes on. */
export function enqueueJob(job: Job): void {
  queue.push(job);
  if (queue.length === 1 && !isRunning) onWaiting();
}

/** @param tell is called when there is something to do, and nobody does it at the moment */
export function whenJobsWait(tell: () => void): void {
  onWaiting = tell;
}

/** Does all that is waiting, and what comes of that. Jobs do not throw. Called from one of them, it does nothing. */
export function runJobs(): void {
  if (isRunning) return;
  isRunning = true;
  try {
    while (queue.length > 0) {
      const jobs = queue;
      queue = [];
      for (const job of jobs) job();
    }
  } finally {
    isRunning = false;
  }
}
