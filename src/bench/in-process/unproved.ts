/**
 * The messages of a protocol that proves, without its proofs: every gate, key and session is that of a run that is
 * proved, so its words are too. What a cheater changes comes out. Of measurements alone: nothing that ships has it.
 */
import { concatBytes } from '../../core/bytes.ts';
import { invariant } from '../../core/errors.ts';
import { firstStep } from '../../mpc/prg/gate-id.ts';
import { PairPrg } from '../../mpc/prg/prg.ts';
import { Engine, type Observer } from '../../mpc/protocol/frame/engine.ts';
import { SessionNonce, computePartiesKey, nextStepKey } from '../../mpc/protocol/malicious/proving/agreement.ts';
import type { PartyId } from '../../net/wire/types.ts';
import type { ProvedWalk, Proving, Walk } from '../../session/proving.ts';

const NOBODY: Observer = {
  gate: async () => undefined,
  dealt: async (_party, _gate, release) => release(),
  half: async () => undefined,
};

/** Sessions as they are, whose runs nobody looks at. */
export function withoutProofs(real: Proving): Proving {
  return {
    ...real,
    begin(self) {
      const nonce = new SessionNonce();
      let session: Uint8Array | undefined;
      // What the step that comes is drawn from.
      let shared: ReadonlyMap<PartyId, Uint8Array> = new Map();
      return {
        nonce: nonce.bytes.slice(),
        agree: (nonces, names) => {
          session = nonce.begin({ nonces, owner: concatBytes(names), attempt: 0, step: 0, branch: 0 }, self);
          return session.slice();
        },
        next: () => {
          session = nonce.next();
          return session.slice();
        },
        end: () => undefined,
        walk: (walk) => {
          const [id, secrets] = [agreedOn(session), walk.secrets ?? shared];
          const made = walkOf(self, walk, id, secrets);
          shared = new Map(Array.from(secrets, ([peer, secret]) => [peer, nextStepKey(secret, id)]));
          return made;
        },
      };
    },
  };
}

function agreedOn(session: Uint8Array | undefined): Uint8Array {
  invariant(session !== undefined, 'the parties have agreed on a session');
  return session;
}

function walkOf(
  id: PartyId,
  { built, secrets: _s, request: _r, plan: _p, model: _m, ...engine }: ProvedWalk,
  session: Uint8Array,
  secrets: ReadonlyMap<PartyId, Uint8Array>,
): Walk {
  const prg = (one: PartyId, other: PartyId): PairPrg | undefined => {
    const secret = id === one ? secrets.get(other) : id === other ? secrets.get(one) : undefined;
    if (secret === undefined) return undefined;
    const key = one === 0 ? secret.slice() : computePartiesKey(secret, session);
    return PairPrg.of(key, firstStep(session.slice(0, 16)));
  };
  const { circuit } = built;
  return new Engine({
    ...engine,
    ...{ id, circuit, k01: prg(0, 1), k02: prg(0, 2) },
    k12: circuit.owner === undefined ? undefined : prg(1, 2),
    observer: NOBODY,
  });
}
