/** Sessions whose messages are proved: nonces, keys and the run of one party (PROTOCOL §16.7). */
import type { ProofKernels } from '../compute/kernels/proof-types.ts';
import type { RingKernels } from '../compute/kernels/types.ts';
import { concatBytes } from '../core/bytes.ts';
import { TercetError, invariant } from '../core/errors.ts';
import { CompleteBuilder } from '../mpc/protocol/malicious/circuit.ts';
import {
  SessionNonce,
  agreementHash,
  computePartiesKey,
  nextStepKey,
} from '../mpc/protocol/malicious/proving/agreement.ts';
import { ProvedRun } from '../mpc/protocol/malicious/proving/run.ts';
import { PARAMETERS, type ProofParameters } from '../mpc/proof/soundness.ts';
import type { PartyId } from '../net/wire/types.ts';
import type { Nonces, ProvedWalk, Proving, ProvingSession, Walk } from './proving.ts';
import { SEGMENT_BYTES } from './proved-price.ts';
import type { RequestBuilder } from './circuits.ts';
import { tagOf } from './control.ts';
import { type WeightMode, requestCode } from './request.ts';

export interface ProofSettings {
  readonly kernels: ProofKernels;
  /** What a run proves with beside its own ring kernels, where they are on a device (default: `kernels`). */
  readonly beside?: ((ring: RingKernels) => ProofKernels) | undefined;
  /** What makes words of public tables, where that is not its own ring kernels. */
  readonly tables?: ((ring: RingKernels) => Promise<RingKernels>) | undefined;
  /** Default: those of the level that is asked for. Others are for tests. */
  readonly parameters?: ProofParameters | undefined;
  /** Bytes that a prover keeps for a segment (default: 1 GiB). The same at all parties. */
  readonly segmentBytes?: number | undefined;
  /** Collects garbage of this thread, where that can be asked for: vectors lie outside of what engines look at. */
  readonly collect?: (() => void) | undefined;
  /** Builds circuits of `aby3`. Absent: it is refused. */
  readonly symmetric?: ((weights: WeightMode) => RequestBuilder) | undefined;
}

/** What a party hands its sessions so that they prove. */
export function provingWith(settings: ProofSettings): Proving {
  const { symmetric } = settings;
  return {
    protocols: symmetric === undefined ? ['3pc_malicious'] : ['3pc_malicious', 'aby3'],
    builder: ({ protocol, weights, widening }) =>
      protocol === 'aby3' && symmetric !== undefined ? symmetric(weights) : new CompleteBuilder(weights, { widening }),
    check: checkProved,
    begin: (self) => new ProvedSession(self, settings),
  };
}

/**
 * Refuses what nothing proves yet.
 * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE, saying what to leave out
 */
function checkProved({ protocol, dealt, widening }: Parameters<Proving['check']>[0]): void {
  const what = dealt
    ? (['what a dealer deals is', 'leave out the dealer'] as const)
    : widening === 'ot'
      ? (['oblivious transfers of the plan wan-cloud are', 'take the plan lan'] as const)
      : undefined;
  if (what === undefined) return;
  throw new TercetError(
    'ERR_PROTOCOL_UNAVAILABLE',
    `${what[0]} not proved by ${protocol} yet`,
    `${what[1]}, or use 3pc_semi_honest`,
  );
}

class ProvedSession implements ProvingSession {
  readonly #self: PartyId;
  readonly #settings: ProofSettings;
  readonly #nonce = new SessionNonce();
  /** Of the step that no walk was made for yet. */
  #session: Uint8Array | undefined;
  #last: ProvedRun | undefined;
  /** What the step behind the last walk is drawn from. */
  #next: ReadonlyMap<PartyId, Uint8Array> = new Map();

  constructor(self: PartyId, settings: ProofSettings) {
    this.#self = self;
    this.#settings = settings;
  }

  get nonce(): Uint8Array {
    return this.#nonce.bytes.slice();
  }

  agree(nonces: Nonces, names: readonly [Uint8Array, Uint8Array]): Uint8Array {
    // One execution: nothing of a session is begun again, and its steps come in order.
    const parts = { nonces, owner: concatBytes(names), attempt: 0, step: 0, branch: 0 };
    this.#session = this.#nonce.begin(parts, this.#self);
    return this.#session.slice();
  }

  next(): Uint8Array {
    invariant(this.#session === undefined && this.#last !== undefined, 'a step behind one that was not begun');
    this.#session = this.#nonce.next();
    return this.#session.slice();
  }

  walk({ built, request, plan, model, secrets, ...engine }: ProvedWalk): Walk {
    const session = this.#session;
    invariant(session !== undefined, 'the parties have agreed on a session');
    invariant((secrets === undefined) === (this.#last !== undefined), 'what handshakes gave is for the first step');
    const shared = secrets ?? this.#next;
    const drawn = Array.from(shared, ([peer, secret]) => [peer, this.#key(peer, secret, session)] as const);
    this.#session = undefined;
    const after = new Map(Array.from(shared, ([peer, secret]) => [peer, nextStepKey(secret, session)] as const));
    this.end();
    this.#next = after;
    const { kernels, beside = () => kernels, tables, segmentBytes = SEGMENT_BYTES, collect } = this.#settings;
    const parameters = this.#settings.parameters ?? PARAMETERS[request.securityLevel ?? 128];
    // How it is proved too: a party that cuts other segments would prove something else.
    const asked = [requestCode(request), request.model ?? '', { ...parameters }, segmentBytes];
    const run = new ProvedRun({
      ...engine,
      after: this.#last,
      lastWord: this.#self === 0 ? tagOf('ready') : undefined,
      id: this.#self,
      circuit: built.circuit,
      session,
      keys: new Map(drawn),
      proofKernels: beside(engine.kernels),
      tables: tables === undefined ? undefined : () => tables(engine.kernels),
      proofParameters: parameters,
      segmentBytes,
      collect,
      agreement: agreementHash({ session, request: asked, plan: JSON.stringify(plan), model, circuit: built.hash }),
    });
    this.#last = run;
    return run;
  }

  end(): void {
    for (const secret of this.#next.values()) secret.fill(0);
  }

  /** What this party shares with another in this session alone. */
  #key(peer: PartyId, secret: Uint8Array, session: Uint8Array): Uint8Array {
    // The owner's pair keys are of one link, and every use of them is salted by the session.
    return peer === 0 || this.#self === 0 ? secret.slice() : computePartiesKey(secret, session);
  }
}
