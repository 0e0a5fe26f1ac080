/** What a compute party asks of every data owner that proves nothing of itself: that it wants a model that is served, and then what it said it wants. */
import { toHex } from '../core/bytes.ts';
import { TercetError } from '../core/errors.ts';
import { mismatch } from '../session/agreement.ts';
import { type Request, requestHash } from '../session/request.ts';
import type { ServedModel } from '../session/compute.ts';

/** In a handshake: the only model that is served, whichever it is. */
export const ANY_MODEL = new Uint8Array(32);

export interface Asked {
  readonly modelHash: Uint8Array;
  readonly parametersHash: Uint8Array;
}

/** Throws to refuse, before a link stands: ERR_MODEL_HASH. */
export function admission(id: 1 | 2, models: readonly ServedModel[]): (asked: Asked) => void {
  const hashes = new Set(models.map(({ hash }) => hash));
  return ({ modelHash }) => {
    if (hashes.has(toHex(modelHash))) return;
    throw new TercetError('ERR_MODEL_HASH', `party ${id} does not serve the model that was asked for`, 'choose a model that it lists', { party: id });
  };
}

/** Throws unless a request is the one of the handshake. */
export function sameRequest({ modelHash, parametersHash }: Asked): (request: Request) => void {
  return (request) => {
    if ((request.model ?? toHex(ANY_MODEL)) !== toHex(modelHash) || requestHash(request) !== toHex(parametersHash)) {
      throw mismatch('the request is not the one of the handshake');
    }
  };
}
