/** `tercet model`: share, the model owner's step for secret weights, and inspect. */
import { Command } from 'commander';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { ChildMessage } from '../daemon/local.ts';
import { openModel } from '../node/model.ts';
import { wasmKernels } from '../node/kernels.ts';
import { shareModel } from '../node/shares.ts';
import { cancelOnSignals } from './signals.ts';
import { inspectCommand } from './inspect.ts';
import { RANGES_HELP, modelLocation, parseRanges, type ModelFlags } from './options.ts';

interface ShareFlags extends ModelFlags {
  readonly ranges?: string;
  readonly out?: string;
}

/** A parent process (`infer --weights secret`) gets the typed error; a user gets the line. */
function tellParent({ code, message, hint }: TercetError): void {
  if (process.connected) process.send?.({ kind: 'failed', code, message, hint } satisfies ChildMessage);
}

/** What to do with the parts. */
function sharedNote(out: string, hash: string): string {
  return [
    '',
    `  sharing ${hash}`,
    `  ${out}/p1      for party 1 alone:  tercet party --party-id 1 --shares p1 …`,
    `  ${out}/p2      for party 2 alone:  tercet party --party-id 2 --shares p2 …`,
    `  ${out}/owner   public, for data owners and \`tercet site\`: configuration and tokenizer, no weights, nothing secret`,
    `  ${out}/issuer  stays with you: the seeds, and the key that enrols data owners`,
    `  Enrol one:   tercet owner enrol --sharing ${out} --name NAME --out NAME.credential.json`,
    '  Secret weights are kept from the compute parties as long as every enrolled owner is trusted with them,',
    '  or both parties serve proved runs alone (--protocols 3pc_malicious; docs/SECURITY.md).',
    '  To rotate, share again and replace all parts: the old ones, and the old credentials, do not work with the new ones.',
    '',
    '',
  ].join('\n');
}

export function modelCommand(): Command {
  const share = new Command('share')
    .description('split a model into a part for each compute party, and a key that enrols data owners')
    .option('--model <name>', 'model folder or org/name on the hub (default: the embedded fill-mask model)')
    .option('--random-weights <seed>', 'random weights of the architecture in --architecture')
    .option('--architecture <file>', 'config.json for --random-weights')
    .option('--ranges <which>', RANGES_HELP)
    .option('--out <dir>', 'a new folder for the parts')
    .action(async (flags: ShareFlags) => {
      if (flags.out === undefined) throw new TercetError('ERR_ARGUMENT', 'there is no --out', 'give a new folder');
      const ranges = flags.ranges === undefined ? undefined : parseRanges(flags.ranges);
      const { signal, release } = cancelOnSignals();
      const kernels = await wasmKernels(0);
      try {
        const hash = await shareModel(
          await openModel(modelLocation(flags, 'fill-mask')),
          flags.out,
          kernels,
          signal,
          ranges,
        );
        if (!process.connected) process.stdout.write(sharedNote(flags.out, hash));
      } catch (error) {
        tellParent(asTercetError(error));
        throw error;
      } finally {
        release();
        await kernels.close();
        if (process.connected) process.disconnect();
      }
    });
  return new Command('model')
    .description('work with models: share, inspect')
    .addCommand(share)
    .addCommand(inspectCommand())
    .action(() => {
      throw new TercetError(
        'ERR_ARGUMENT',
        'model needs to know what to do',
        'tercet model share --out DIR, or tercet model inspect',
      );
    });
}
