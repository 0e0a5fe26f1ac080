/** The messages of a protocol that proves, without its proofs: the control, in which what a cheater changes comes out. */
import { TercetError } from '../../core/errors.ts';
import { firstStep } from '../../mpc/prg/gate-id.ts';
import { PairPrg } from '../../mpc/prg/prg.ts';
import { Engine, type Observer } from '../../mpc/protocol/frame/engine.ts';
import { computePartiesKey } from '../../mpc/protocol/malicious/proving/agreement.ts';
import type { PartyId } from '../../net/wire/types.ts';
import type { ProvedWalk, Proving, Walk } from '../../session/proving.ts';

const NOBODY: Observer = {
  gate: async () => undefined,
  dealt: async (_party, _gate, release) => release(),
  half: async () => undefined,
};

/** Sessions as they are, whose runs nobody looks at. Of one step. */
export function withoutProofs(real: Proving): Proving {
  return {
    ...real,
    begin(self) {
      const own = real.begin(self);
      let agreed: Uint8Array | undefined;
      return {
        nonce: own.nonce,
        agree: (nonces, names) => {
          agreed = own.agree(nonces, names);
          return agreed.slice();
        },
        next: () => own.next(),
        end: () => own.end(),
        walk: (walk) => walkOf(self, walk, agreed),
      };
    },
  };
}

function walkOf(id: PartyId, walk: ProvedWalk, session: Uint8Array | undefined): Walk {
  const { built, secrets, request: _r, plan: _p, model: _m, ...engine } = walk;
  if (session === undefined || secrets === undefined)
    throw new TercetError('ERR_STATE', 'no step follows on one that nobody proves', 'start a new run');
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
