/** `tercet demo` (npm start): the example of the README, on the embedded model, with everything that one would want to see. */
import { join } from 'node:path';
import { Command } from 'commander';
import { runInference } from '../party/run.ts';
import { defaultThreads, embeddedModel, stateFolder } from '../party/defaults.ts';
import { ProgressLine } from './progress.ts';
import { cancelOnSignals } from './signals.ts';
import { printAnswer, printCost } from './tables.ts';

const TEXT = 'The capital of France is [MASK].';

export function demoCommand(): Command {
  return new Command('demo')
    .description('the first private inference: three parties on this machine answer an example')
    .action(async (flags: { readonly debug?: boolean }) => {
      const { signal, release } = cancelOnSignals();
      const line = new ProgressLine(process.stderr, true);
      try {
        process.stderr.write('\n  Tercet: three parties, one text, and only its owner reads it.\n\n');
        const result = await runInference({
          task: 'fill-mask',
          model: { kind: 'folder', path: embeddedModel('fill-mask') },
          text: TEXT,
          tokens: undefined,
          protocol: '3pc_semi_honest',
          weights: 'open',
          device: 'auto',
          threads: defaultThreads(),
          topK: 5,
          compare: true,
          certificates: join(stateFolder(), 'certificates'),
          signal,
          debug: flags.debug === true,
          onPhase: (phase) => line.phase(phase),
          onProgress: (party, progress) => line.progress(party, progress),
        });
        line.end();
        process.stdout.write(`${printAnswer(result, TEXT)}\n${printCost(result)}\n`);
        process.stdout.write('  Try your own:  npm run -s tercet -- infer --text "Tokyo is the capital of [MASK]." --compare\n\n');
      } finally {
        line.end();
        release();
      }
    });
}
