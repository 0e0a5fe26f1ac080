/** What a compute party asks of every data owner that proves nothing of itself: that it then wants what it said it wants (whether it may: `Sessions.admit`). */
import { toHex } from '../core/bytes.ts';
import { mismatch } from '../session/agreement.ts';
import { type Request, requestCode } from '../session/request.ts';

/** In a handshake: the only model that is served, whichever it is. */
export const ANY_MODEL = new Uint8Array(32);

export interface Asked {
  readonly modelHash: Uint8Array;
  readonly parametersHash: Uint8Array;
}

/** Throws unless a request is the one of the handshake. */
export function sameRequest({ modelHash, parametersHash }: Asked): (request: Request) => void {
  return (request) => {
    if ((request.model ?? toHex(ANY_MODEL)) !== toHex(modelHash) || requestCode(request) !== toHex(parametersHash)) {
      throw mismatch('the request is not the one of the handshake');
    }
  };
}
