/**
 * What a session of `3pc_malicious` has beside one that proves nothing (PROTOCOL §16.7). Sessions are handed it and
 * import none of it, so nobody loads proofs who does not ask for them. A session without it refuses the mode.
 */
import { SecurityViolationError, TercetError } from '../core/errors.ts';
import type { ModelPlan } from '../ml/models/plan.ts';
import type { Engine, EngineOptions } from '../mpc/protocol/frame/engine.ts';
import { protocolInfo } from '../mpc/protocol/registry.ts';
import type { ProofReport } from '../mpc/protocol/malicious/proving/proofs.ts';
import type { ProtocolId } from '../mpc/protocol/types.ts';
import type { PartyId } from '../net/wire/types.ts';
import type { BuiltCircuit, RequestBuilder } from './circuits.ts';
import type { CodedRequest, Request, SecurityLevel } from './request.ts';

/** One party's walk through a step, whatever proves it. */
export type Walk = Pick<Engine, 'deal' | 'leaveDealing' | 'input' | 'online' | 'output' | 'clear' | 'kept'> & {
  /** What was proved, where it was. */
  readonly proofs?: ProofReport;
};

export type { ProofReport };

/** Nonces of P0, P1 and P2. */
export type Nonces = readonly [Uint8Array, Uint8Array, Uint8Array];

/** What a walk needs beside the engine's own options. */
export interface ProvedWalk extends Omit<EngineOptions, 'id' | 'circuit' | 'k01' | 'k02' | 'observer'> {
  readonly built: BuiltCircuit;
  readonly request: Request;
  readonly plan: ModelPlan;
  /** Hash of the model that is served. */
  readonly model: string;
  /**
   * By party, what the handshake with it gave, 32 bytes; of the first step alone. Copied. SECURITY: of P1 and P2 it is
   * what their own handshake gave, which the owner does not have. test/session/proved.test.ts.
   */
  readonly secrets?: ReadonlyMap<PartyId, Uint8Array> | undefined;
}

/** One session of one party. */
export interface ProvingSession {
  /** This party's own, 32 bytes, fresh for this session. */
  readonly nonce: Uint8Array;
  /**
   * The session that all three nonces make, 32 bytes.
   * @param names of the owner's links with party 1 and party 2
   * @throws {SecurityViolationError} a second time, or where this party's nonce is another one
   */
  agree(nonces: Nonces, names: readonly [Uint8Array, Uint8Array]): Uint8Array;
  /** The session of the step behind the one that walks: of the same nonces, and of no other step. */
  next(): Uint8Array;
  /**
   * The walk of the session that was made last, once. Behind another it takes no input before that one has passed.
   */
  walk(options: ProvedWalk): Walk;
  /** Overwrites what steps to come would be drawn from. */
  end(): void;
}

export interface Proving {
  /** What it proves runs of. */
  readonly protocols: readonly ProtocolId[];
  /** Refuses what nothing proves yet. @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE, saying what to leave out */
  check(request: Pick<CodedRequest, 'protocol' | 'dealt' | 'widening'>): void;
  builder(request: Pick<Request, 'protocol' | 'weights' | 'widening'>): RequestBuilder;
  begin(self: PartyId): ProvingSession;
}

/**
 * The proofs of a request, undefined for one that has none.
 * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE where this party has none for a protocol that wants them, and for what
 * nothing proves yet
 */
export function provingOf(
  { protocol, dealer, widening, securityLevel }: Pick<Request, 'protocol' | 'dealer' | 'widening' | 'securityLevel'>,
  proving: Proving | undefined,
): Proving | undefined {
  checkLevel(protocol, securityLevel);
  if (protocol === '3pc_semi_honest') return undefined;
  if (proving?.protocols.includes(protocol) !== true) throw refused(protocol);
  proving.check({ protocol, dealt: dealer !== undefined, widening });
  return proving;
}

/**
 * The level of a request. SECURITY: nobody gets less than they asked for. test/session/security-level.test.ts.
 * @throws {TercetError} ERR_PROTOCOL_UNAVAILABLE for any but 128 of a protocol that proves nothing, and for no level
 */
export function checkLevel(protocol: string, level: SecurityLevel | undefined): 256 | undefined {
  if (level === undefined || level === 128) return undefined;
  if (level !== 256 || (protocol !== '3pc_malicious' && protocol !== 'aby3'))
    throw new TercetError(
      'ERR_PROTOCOL_UNAVAILABLE',
      `${protocol} has no level ${String(level)}`,
      'take 128, or 256 with 3pc_malicious or aby3',
    );
  return level;
}

/** A protocol by name: one of this build, or of those whose runs are proved here. @throws as `protocolInfo` */
export function protocolNamed(id: string, proved: readonly ProtocolId[] = []): ProtocolId {
  return proved.find((known) => known === id) ?? protocolInfo(id).id;
}

function refused(protocol: string): unknown {
  try {
    return protocolInfo(protocol);
  } catch (error) {
    return error;
  }
}

/**
 * What a failure of a proved run is, once its text may be on the way.
 *
 * SECURITY: a message that does not come, or is none, is a proof that was not given, and a party that says why says
 * what it likes. So all of it has one code. What it was stays here. test/session/proved.test.ts.
 */
export function violated(error: TercetError): TercetError {
  if (error.code === 'ERR_SECURITY_VIOLATION' || (error.kind !== 'peer' && error.kind !== 'io')) return error;
  return new SecurityViolationError('messages', undefined, error);
}
