/** Secret weights in a local run: the model owner's step (masked weights for P1 and P2, 64 bytes of seeds for P0), and P0's view of them. */
import type { RingKernels } from '../compute/kernels/types.ts';
import { TercetError } from '../core/errors.ts';
import type { BertConfig } from '../ml/config.ts';
import type { ParameterView } from '../mpc/protocol/semi-honest/party.ts';
import type { ModelLocation } from './model.ts';

export interface PreparedShares {
  readonly seeds: Uint8Array;
  folder(id: 1 | 2): string;
  remove(): Promise<void>;
}

const none = () => Promise.reject(new TercetError('ERR_STATE', 'the data owner holds no open weights', 'this is a bug in Tercet, please report it'));

export async function prepareShares(_model: ModelLocation, _signal: AbortSignal): Promise<PreparedShares> {
  throw new TercetError('ERR_STATE', 'wip', 'wip');
}

export function ownerParameters(_config: BertConfig, _kernels: RingKernels, seeds: Uint8Array | undefined): ParameterView {
  if (seeds === undefined) return { weights: 'open', matrix: none, words: none };
  throw new TercetError('ERR_STATE', 'wip', 'wip');
}
