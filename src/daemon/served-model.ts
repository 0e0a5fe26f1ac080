/** What a compute party serves: open weights encoded from a model, or its part of secret weights. */
import { basename, dirname, resolve } from 'node:path';
import type { RingKernels } from '../compute/kernels/types.ts';
import type { TercetError } from '../core/errors.ts';
import type { ServedModel } from '../session/model.ts';
import { OpenParameters } from '../session/open-parameters.ts';
import type { DownloadOptions } from '../node/hub-model.ts';
import { withEncodedWeights } from '../node/encoded-weights.ts';
import { type ModelLocation, type OpenedModel, openModel } from '../node/model.ts';
import type { Ranges } from '../node/defaults.ts';
import { plansOf } from '../node/model-plan.ts';
import { wasmFold } from '../node/kernels.ts';
import { parameterEncoder } from '../ml/models/folding.ts';
import type { ModelRanges } from '../ml/ranges.ts';

export type ModelSource =
  | { readonly weights: 'open'; readonly model: ModelLocation; readonly ranges?: Ranges | undefined }
  /** This party's part of a sharing: configuration, plan, masked weights and its own seed. */
  | { readonly weights: 'secret'; readonly folder: string };

/** Models that are open already. Each is taken out by the load that uses it: a later one reads the files again. */
export type OpenedModels = Map<ModelSource, Promise<OpenedModel>>;

export interface LoadOptions {
  /** Told how far the files of a hub are. */
  readonly onDownload?: DownloadOptions['onDownload'];
  readonly opened?: OpenedModels | undefined;
  /** Hears of a list of revoked credentials that cannot be taken. */
  readonly onProblem?: (error: TercetError) => void;
}

export async function loadServedModels(
  id: 1 | 2,
  sources: readonly ModelSource[],
  kernels: RingKernels,
  options: LoadOptions = {},
): Promise<ServedModel[]> {
  const models: ServedModel[] = [];
  for (const source of sources) models.push(await load(id, source, kernels, options));
  return models;
}

async function load(
  id: 1 | 2,
  source: ModelSource,
  kernels: RingKernels,
  { onDownload, onProblem, opened }: LoadOptions,
): Promise<ServedModel> {
  if (source.weights === 'secret') {
    const { loadShares } = await import('../node/shares.ts');
    return {
      name: basename(dirname(resolve(source.folder))),
      ...(await loadShares(id, source.folder, kernels, onProblem)),
    };
  }
  const ahead = opened?.get(source);
  opened?.delete(source);
  const model = await (ahead ?? openModel(source.model, { weights: true, onDownload }));
  // Its files are hashed while the rest is read.
  const hash = model.hash();
  hash.catch(() => undefined);
  const weights = await model.weights();
  const fold = await wasmFold();
  // Words that proofs ask for are encoded again: what is kept lies in the kernels' order, and its file is closed.
  const rowMajor = parameterEncoder(weights, fold);
  const planned = (reach: ModelRanges) => plansOf(model, weights, { ranges: source.ranges, reach });
  const { parameters, reach, plans } = await withEncodedWeights(
    model,
    weights,
    fold,
    async ({ encode, reach, kept }) => {
      // A model is refused before it is encoded, and planned only when it is known to be the one that was kept.
      const plans = kept ? undefined : await planned(reach);
      const parameters = await OpenParameters.load(weights, kernels, encode, kernels.panels, rowMajor);
      return { parameters, reach, plans };
    },
    ({ parameters }) => parameters.free(kernels),
    { shared: kernels.name === 'wasm' || kernels.name === 'native', panels: kernels.panels?.order },
  );
  return {
    name: model.name,
    config: model.config,
    ...(plans ?? (await planned(reach))),
    hash: await hash,
    parameters,
  };
}
