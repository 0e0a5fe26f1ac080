/**
 * What a party waits for longest at its start, begun when its flags were taken, while the daemon's own code is still
 * read and compiled: the kernels with their threads, and the hash of every model. Nothing fails here: an error is that
 * of whoever waits for the kernels or the model.
 */
import { nodeKernels } from '../node/kernels.ts';
import { openModel } from '../node/model.ts';
import type { DaemonOptions } from './daemon.ts';
import type { ModelSource, OpenedModels } from './served-model.ts';

export interface HeadStart extends Required<Pick<DaemonOptions, 'openKernels' | 'opened'>> {
  /** Closes kernels that no daemon took. */
  end(): Promise<void>;
}

export function headStart({
  models,
  device,
  threads,
}: Pick<DaemonOptions, 'models' | 'device' | 'threads'>): HeadStart {
  const kernels = nodeKernels(device, threads);
  kernels.catch(() => undefined);
  let taken = false;
  return {
    opened: openAhead(models),
    openKernels: () => {
      taken = true;
      return kernels;
    },
    end: async () => {
      if (taken) return;
      const unused = await kernels.catch(() => undefined);
      await unused?.close();
    },
  };
}

/** Opens open models and begins to hash them. Not those of a hub: the daemon tells how far a download is. */
export function openAhead(sources: readonly ModelSource[]): OpenedModels {
  const opened: OpenedModels = new Map();
  for (const source of sources) {
    if (source.weights === 'secret' || source.model.kind === 'hub') continue;
    const model = openModel(source.model, { weights: true });
    model.then((found) => found.hash()).catch(() => undefined);
    opened.set(source, model);
  }
  return opened;
}
