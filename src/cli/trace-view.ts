/** `tercet trace view`: what `--trace` wrote, for the viewers of Chrome (chrome://tracing) and Perfetto. */
import { type WriteStream, createReadStream, createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { Command } from 'commander';
import { TercetError } from '../core/errors.ts';
import { ChromeTrace, type Step, checkSteps, stepOf } from './chrome-trace.ts';
import { collect } from './party.ts';

interface ViewFlags {
  readonly trace: readonly string[];
  readonly out?: string;
}

export function traceCommand(): Command {
  const trace = new Command('trace').description('what parties wrote with --trace');
  trace
    .command('view')
    .description('make a Chrome trace of it, for chrome://tracing or Perfetto: gates, bytes and times, never values')
    .requiredOption('--trace <file>', 'what a party wrote, again for those of other parties', collect, [])
    .option('--out <file>', 'where to write (default: standard output)')
    .action(view);
  return trace;
}

async function view({ trace, out }: ViewFlags): Promise<void> {
  let [steps, zero] = [0, Number.POSITIVE_INFINITY];
  for await (const { at = 0 } of stepsOf(trace)) {
    steps += 1;
    zero = Math.min(zero, at);
  }
  checkSteps(steps);
  const to: WriteStream | NodeJS.WriteStream = out === undefined ? process.stdout : await created(out);
  const write = async (text: string) => {
    if (!to.write(text)) await once(to, 'drain');
  };
  const made = new ChromeTrace(zero);
  let before = '{"displayTimeUnit":"ms","traceEvents":[\n';
  for await (const step of stepsOf(trace))
    for (const event of made.add(step)) {
      await write(`${before}${JSON.stringify(event)}`);
      before = ',\n';
    }
  await write('\n]}\n');
  if (to !== process.stdout) await new Promise<void>((resolve) => to.end(resolve));
}

/** Line by line: a trace is as long as its run. */
async function* stepsOf(files: readonly string[]): AsyncGenerator<Step> {
  for (const file of files) {
    const input = createReadStream(file, 'utf8');
    let number = 0;
    try {
      for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY }))
        yield stepOf(line, ++number);
    } catch (cause) {
      if (cause instanceof TercetError) throw cause;
      throw new TercetError('ERR_ARGUMENT', 'a file given by --trace cannot be read', 'check the path', { cause });
    } finally {
      input.destroy();
    }
  }
}

async function created(path: string): Promise<WriteStream> {
  const stream = createWriteStream(path);
  try {
    await once(stream, 'open');
  } catch (cause) {
    throw new TercetError('ERR_ARGUMENT', 'the file given by --out cannot be written', 'check the path', { cause });
  }
  return stream;
}
