/** `tercet model share`: the model owner's step for secret weights. */
import { Command } from 'commander';
import { TercetError, asTercetError } from '../core/errors.ts';
import type { ChildMessage } from '../party/local.ts';
import { openModel } from '../party/model.ts';
import { wasmKernels } from '../party/node-kernels.ts';
import { shareModel } from '../party/shares.ts';
import { cancelOnSignals } from './signals.ts';
import { modelLocation, type ModelFlags } from './options.ts';

interface ShareFlags extends ModelFlags {
  readonly out?: string;
}

/** A parent process (`infer --weights secret`) gets the typed error; a user gets the line. */
function tellParent({ code, message, hint }: TercetError): void {
  if (process.connected) process.send?.({ kind: 'failed', code, message, hint } satisfies ChildMessage);
}

export function modelCommand(): Command {
  const share = new Command('share')
    .description('split a model into a part for each compute party and 64 bytes of seeds for data owners')
    .option('--model <dir>', 'model folder (default: the embedded fill-mask model)')
    .option('--random-weights <seed>', 'random weights of the architecture in --config')
    .option('--config <file>', 'config.json for --random-weights')
    .option('--out <dir>', 'a new folder for the parts')
    .action(async (flags: ShareFlags) => {
      if (flags.out === undefined) throw new TercetError('ERR_ARGUMENT', 'there is no --out', 'give a new folder');
      const { signal, release } = cancelOnSignals();
      const kernels = await wasmKernels(0);
      try {
        await shareModel(await openModel(modelLocation(flags, 'fill-mask')), flags.out, kernels, signal);
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
    .description('work with models: share')
    .addCommand(share)
    .action(() => {
      throw new TercetError('ERR_ARGUMENT', 'model needs to know what to do', 'the only command is: tercet model share --out DIR');
    });
}
