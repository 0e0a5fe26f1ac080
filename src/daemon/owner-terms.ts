/**
 * What a compute party asks of every data owner that proves nothing of itself: that it then wants what it said it
 * wants (whether it may: `Sessions.admit`).
 */
import { toHex } from '../core/bytes.ts';
import { absentCredential } from '../net/enrolment/credential-terms.ts';
import type { Enrolment } from '../net/enrolment/enrolment.ts';
import { ANY_MODEL } from '../net/handshake/messages.ts';
import { mismatch } from '../session/agreement.ts';
import type { CheckRequest } from '../session/admission.ts';
import type { ServedModel } from '../session/model.ts';
import { requestCode } from '../session/request.ts';
import { checkEnrolled } from '../node/enrolment.ts';

export interface Asked {
  readonly modelHash: Uint8Array;
  readonly requestCode: Uint8Array;
}

/**
 * In a handshake: who may use a model; undefined for one that is open to everybody.
 * @throws {TercetError} ERR_MODEL_FORMAT for secret weights without an enrolment
 */
export function enrolments(models: readonly ServedModel[]): (modelHash: Uint8Array) => Enrolment | undefined {
  for (const model of models) checkEnrolled(model);
  // Looked up when it is asked: models may have been loaded again since.
  return (modelHash) => models.findLast(({ hash }) => hash === toHex(modelHash))?.enrolment;
}

/**
 * Throws unless a request is the one of the handshake, which has taken the owner's credential if the model that it
 * names wants one.
 */
export function sameRequest({ modelHash, requestCode: code }: Asked): CheckRequest {
  return (request, model) => {
    // SECURITY: "whichever is served" is no name, so no credential was asked for it. test/party/owner-terms.test.ts.
    if (model.enrolment !== undefined && model.hash !== toHex(modelHash)) throw absentCredential('missing');
    if ((request.model ?? toHex(ANY_MODEL)) !== toHex(modelHash) || requestCode(request) !== toHex(code)) {
      throw mismatch('the request is not the one of the handshake');
    }
  };
}
