/** P0's view of a model: nothing when its weights are open, the seeds of its masks when they are secret. */
import { TercetError } from '../core/errors.ts';
import type { ModelConfig } from '../ml/config.ts';
import type { ParameterView } from '../mpc/protocol/frame/party.ts';
import { OwnerSeeds } from './secret-parameters.ts';

const none = () =>
  Promise.reject(
    new TercetError('ERR_STATE', 'the data owner holds no weights', 'this is a bug in Tercet, please report it'),
  );

export interface OwnerParameters extends ParameterView {
  /** Overwrites the seeds, if there are any. */
  wipe(): void;
}

/** @param seeds 64 bytes, copied; undefined for open weights. */
export function ownerParameters(config: ModelConfig, seeds: Uint8Array | undefined): OwnerParameters {
  if (seeds === undefined) return { weights: 'open', matrix: none, words: none, wipe: () => undefined };
  return new OwnerSeeds(config, Uint8Array.from(seeds));
}
