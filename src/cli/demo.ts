/** `tercet demo` (npm start): the example of the README, on the embedded model, with everything that one would want to see. */
import { Command } from 'commander';
import { defaultThreads, embeddedModel } from '../party/defaults.ts';
import { printAnswer, printCost } from './tables.ts';
import { runOnTerminal } from './terminal.ts';

const TEXT = 'The capital of France is [MASK].';

export function demoCommand(): Command {
  return new Command('demo')
    .description('the first private inference: three parties on this machine answer an example')
    .action(async (flags: { readonly debug?: boolean }) => {
      process.stderr.write('\n  Tercet: three parties, one text, and only its owner reads it.\n\n');
      const model = { kind: 'folder', path: embeddedModel('fill-mask') } as const;
      const how = { protocol: '3pc_semi_honest', weights: 'open', device: 'auto', threads: defaultThreads(), debug: flags.debug === true } as const;
      const result = await runOnTerminal({ task: 'fill-mask', model, text: TEXT, tokens: undefined, topK: 5, compare: true, ...how }, false);
      process.stdout.write(`${printAnswer(result, TEXT)}\n${printCost(result)}\n`);
      process.stdout.write('  Try your own:  npm run -s tercet -- infer --text "Tokyo is the capital of [MASK]." --compare\n\n');
    });
}
