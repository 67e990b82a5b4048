import { startTimer } from "./event-loop.js";

/* Stand for the timers of Node, which GJS has others by the same names of: these run wherever somebody waits. */

/** A timer, until it is over. A main loop is what keeps a program of GJS's alive, not this. */
export class Timer {
  readonly stop: () => void;

  constructor(callback: () => void, milliseconds: number) {
    this.stop = startTimer(milliseconds, callback);
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}

export function setTimeout(callback: () => void, milliseconds = 0): Timer {
  return new Timer(callback, milliseconds);
}

export function clearTimeout(timer: Timer | null | undefined): void {
  timer?.stop();
}

/** In the loop's next turn. */
export function setImmediate(callback: () => void): Timer {
  return new Timer(callback, 0);
}
