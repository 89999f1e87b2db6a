import type { StreamProgress } from '@perennial/core';

import { duration } from '../commands/show-head.ts';
import type { TextOutput } from '../terminal/io.ts';
import { paint } from '../terminal/messages.ts';
import { printable } from '../terminal/printable.ts';
import type { Progress } from './tally.ts';

/** How a running actor looks, on standard error. */
export interface Display {
  /** Something came. `milestone`: the count is round. */
  advance(progress: Progress, milestone: boolean): void;
  /** The actor says how far it is. */
  report(step: StreamProgress): void;
  complete(progress: Progress): void;
  fail(progress: Progress, message: string): void;
  cancel(progress: Progress): void;
}

/** Options of {@link createDisplay}. */
export interface DisplayOptions {
  readonly stderr: TextOutput;
  readonly quiet: boolean;
}

/** Creates the display: a spinner on a terminal, plain lines elsewhere. Quiet, it only tells of failures. */
export async function createDisplay({ stderr, quiet }: DisplayOptions): Promise<Display> {
  if (quiet) return createLines({ stderr, quiet });
  return stderr.isTTY ? createSpinner(stderr) : createLines({ stderr, quiet });
}

async function createSpinner(stderr: TextOutput): Promise<Display> {
  const { default: yoctoSpinner } = await import('yocto-spinner');
  // Node's writable streams have all that the spinner uses. Signals are the command's: Ctrl-C cancels the actor first.
  const stream = stderr as unknown as NonNullable<Parameters<typeof yoctoSpinner>[0]>['stream'] & object;
  const spinner = yoctoSpinner({ text: 'Processing...', stream, handleSignals: false }).start();
  const finish = (mark: string, text: string): void => void spinner.stop(`${mark} ${text}`);
  return {
    advance(progress, milestone) {
      // A line written meanwhile goes above the spinner.
      if (milestone) stderr.write(`📝 ${generated(progress)}\n`);
      spinner.text = `${counted(progress)}${rate(progress)}`;
    },
    report: (step) => {
      spinner.text = described(step);
    },
    complete: (progress) => finish(paint(stderr, 'green', '✓'), completed(progress)),
    fail: (progress, message) => finish(paint(stderr, 'red', '✗'), failed(progress, message)),
    cancel: (progress) => finish(paint(stderr, 'yellow', '■'), cancelled(progress)),
  };
}

function createLines({ stderr, quiet }: DisplayOptions): Display {
  const line = (text: string): void => void stderr.write(`${text}\n`);
  const note = quiet ? (): void => undefined : line;
  note('Processing...');
  return {
    advance: (progress, milestone) => {
      if (milestone) note(generated(progress));
    },
    report: (step) => note(described(step)),
    complete: (progress) => note(completed(progress)),
    fail: (progress, message) => line(failed(progress, message)),
    cancel: (progress) => line(cancelled(progress)),
  };
}

function counted({ count, unit }: Progress): string {
  return `${count} ${count === 1 ? unit.slice(0, -1) : unit}`;
}

function rate({ perSecond, unit }: Progress): string {
  return perSecond > 0 ? `, ${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)} ${unit}/s` : '';
}

function generated(progress: Progress): string {
  return `Generated ${counted(progress)}...`;
}

function described({ current, total, message }: StreamProgress): string {
  return `${current}/${total}${message === undefined ? '' : ` ${printable(message)}`}`;
}

function completed(progress: Progress): string {
  return `Complete! (${counted(progress)}${rate(progress)}, ${duration(progress.elapsedMs)})`;
}

function failed(progress: Progress, message: string): string {
  return `Failed after ${counted(progress)}: ${printable(message)}`;
}

function cancelled(progress: Progress): string {
  return `Cancelled after ${counted(progress)}.`;
}
