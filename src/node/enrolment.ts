/** Who may use secret weights, as a compute party knows it: from the files of its part, without a word to anybody. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { TercetError } from '../core/errors.ts';
import { sharingHash } from '../net/enrolment/credential.ts';
import { Enrolment } from '../net/enrolment/enrolment.ts';
import type { CheckRequest } from '../session/admission.ts';
import type { ServedModel } from '../session/model.ts';
import { mismatch } from '../session/agreement.ts';
import { REVOKED, type ShareManifest } from './sharing.ts';

/** A list of as many ids as it may have is smaller. */
const MAX_LIST_BYTES = 1 << 20;

/**
 * The enrolment of a part, with the list of revoked credentials beside it. The list is read again whenever its file
 * has changed; a file that is gone, damaged or older than what is in force changes nothing.
 * @param onProblem hears of a file that was not taken
 * @throws {TercetError} ERR_MODEL_FORMAT for a list that is there and cannot be used: a party does not start
 * without knowing who was revoked
 */
export async function loadEnrolment(
  folder: string,
  manifest: ShareManifest,
  onProblem?: (error: TercetError) => void,
): Promise<Enrolment> {
  const changed = whenChanged(join(folder, REVOKED));
  const enrolment = new Enrolment({
    sharing: sharingHash(manifest),
    publicKey: manifest.enrolment,
    revocations: changed,
    onProblem,
  });
  const list = await changed();
  if (list !== undefined) await enrolment.take(list);
  return enrolment;
}

/** The file where it is another than at the last call. */
function whenChanged(path: string): () => Promise<Uint8Array | undefined> {
  let seen = '';
  return async () => {
    const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw unreadable(error);
    });
    if (found === undefined) return undefined;
    const now = [found.ino, found.size, found.mtimeMs].join(' ');
    if (now === seen) return undefined;
    if (found.size > MAX_LIST_BYTES) throw unreadable(undefined);
    const bytes = await readFile(path).catch((error: unknown) => Promise.reject(unreadable(error)));
    seen = now;
    return bytes;
  };
}

function unreadable(cause: unknown): TercetError {
  return new TercetError(
    'ERR_MODEL_FORMAT',
    `${REVOKED} of the shared weights cannot be read`,
    'take the file that `tercet owner revoke` wrote',
    { cause },
  );
}

/** @throws {TercetError} ERR_MODEL_FORMAT for secret weights that anybody could use */
export function checkEnrolled({
  name,
  parameters,
  enrolment,
}: Pick<ServedModel, 'name' | 'parameters' | 'enrolment'>): void {
  if (parameters.weights === 'open' || enrolment !== undefined) return;
  throw new TercetError(
    'ERR_MODEL_FORMAT',
    `the secret weights of ${name} have no enrolment key: anybody could use them`,
    'share the model again with `tercet model share`, and enrol its owners with `tercet owner enrol`',
  );
}

/** Over a link whose handshake carried no credential (mutual TLS), the request does. */
export function credentialCheck(link: {
  readonly party: 1 | 2;
  readonly session: Uint8Array;
  readonly binding: () => Uint8Array;
}): CheckRequest {
  return async (_request, model, presented) => {
    checkEnrolled(model);
    if (model.enrolment !== undefined) await model.enrolment.check(presented, { ...link, binding: link.binding() });
    else if (presented !== undefined)
      throw mismatch('the data owner presents a credential for a model that is open to everybody');
  };
}
