/**
 * Sessions of `3pc_malicious` among three parties on links in memory. The circuit is a small one with every kind of
 * message, on the inputs and outputs of a model: what is looked at are the sessions around it.
 */
import { LOGITS, OUTPUT_FORM, ROWS, TOKENS } from '../../src/ml/models/run.ts';
import type { Circuit } from '../../src/mpc/protocol/frame/circuit.ts';
import { Aby3Builder } from '../../src/mpc/protocol/aby3/circuit.ts';
import { CompleteBuilder } from '../../src/mpc/protocol/malicious/circuit.ts';
import type { Gates, ProtocolId } from '../../src/mpc/protocol/types.ts';
import type { Channel, PartyId } from '../../src/net/wire/types.ts';
import { Circuits } from '../../src/session/circuits.ts';
import { type ProofSettings, provingWith } from '../../src/session/proved-session.ts';
import type { Proving } from '../../src/session/proving.ts';
import type { Request } from '../../src/session/request.ts';
import { type ClearParameter, parameterView } from '../support/parameters.ts';
import { completeCircuit, proofWasm, symmetricCircuit, wasm } from '../support/proved.ts';
import { QUICK } from '../support/tamper.ts';
import { MODEL, type StartOptions, start } from './harness.ts';

const TABLE: ClearParameter = {
  parameter: { name: 'table', rows: 5, cols: 2, scale: 0, lookup: true },
  values: Array.from({ length: 10 }, (_, i) => BigInt(i + 1)),
};
const W: ClearParameter = { parameter: { name: 'w', rows: 2, cols: 2, scale: 0 }, values: [1n, 2n, 3n, 4n] };

/** (E[token]·W + rows)², as logits. */
export function toyCircuit(weights: 'open' | 'secret'): (g: Gates) => void {
  return (g) => {
    const { k, scale } = OUTPUT_FORM[weights];
    const map = g.affine([{ x: g.lookup(TOKENS, TABLE.parameter, 2), weight: W.parameter }]);
    const x = g.reduce(g.reshape(map, [4]), 14);
    const y = g.add(x, g.reduce(g.repeat(g.input(ROWS, [2], 64, 0), 2), 14));
    const square = g.mul(g.reshape(y, [4]), g.reshape(y, [4]));
    const table = g.table(g.reduce(square, 3), { bits: 3, entries: [1n, 2n, 4n, 8n, 16n, 32n, 64n, 128n] }, 14);
    g.output(LOGITS, g.reshape(g.widen(g.add(square, table), k), [4], scale));
  };
}

/** What opens of tokens 3 and 1 and the row 0: (7, 8)·W = (31, 46) + 1 and (3, 4)·W = (15, 22). */
export const TOY_INPUT = [{ inputIds: [3, 1], rows: [0] }];
export function toyAnswer(weights: 'open' | 'secret'): number[] {
  return [32, 47, 15, 22].map((y) => (y * y + 2 ** ((y * y) % 8)) / 2 ** OUTPUT_FORM[weights].scale);
}

/** Of a model that is built as ever, the circuit is another. */
class ToyBuilder extends CompleteBuilder {
  readonly #toy: Circuit;

  constructor(toy: Circuit) {
    super(toy.weights);
    this.#toy = toy;
  }

  override finish(): Circuit {
    return this.#toy;
  }
}

/** Proves sessions of a small circuit, whatever the model. */
export function provingOfCircuit(
  build: (weights: 'open' | 'secret') => (g: Gates) => void,
  settings: Partial<ProofSettings> = { parameters: QUICK },
): Proving {
  const known = new Map<string, Circuit>();
  const circuitOf = (protocol: ProtocolId, weights: 'open' | 'secret'): Circuit => {
    const name = `${protocol} ${weights}`;
    const made = protocol === 'aby3' ? symmetricCircuit : completeCircuit;
    const circuit = known.get(name) ?? made(build(weights), weights);
    known.set(name, circuit);
    return circuit;
  };
  const symmetric = (weights: 'open' | 'secret') => new Aby3Builder(weights);
  const real = provingWith({ kernels: proofWasm, symmetric, ...settings });
  return {
    protocols: real.protocols,
    builder: ({ protocol, weights }) => new ToyBuilder(circuitOf(protocol, weights)),
    check: real.check,
    begin: (self) => real.begin(self),
  };
}

export const proving = provingOfCircuit(toyCircuit);

export function toyRequest(weights: 'open' | 'secret'): Request {
  const shape = { sequences: 1, tokens: 2, rows: 1, padded: false, pair: false, steps: 0 };
  return { model: MODEL.hash, protocol: '3pc_malicious', weights, ...shape };
}

/** Starts a session of the toy at all three parties. */
export function toy(weights: 'open' | 'secret', options: StartOptions = {}) {
  const view = (id: PartyId) => parameterView(weights, id, options.on ?? wasm, [TABLE, W]);
  return start({
    ...{ request: toyRequest(weights), circuits: new Circuits(), on: wasm, proving, parameters: view(0) },
    ...options,
    compute: (id) => ({ models: [{ ...MODEL, parameters: view(id) }], ...options.compute?.(id) }),
  });
}

/** The same channel, whose sender changes what it sends. */
export function sending(
  channel: Channel,
  change: (tag: string, bytes: Uint8Array, send: Channel['send']) => Promise<void>,
): Channel {
  const send: Channel['send'] = (tag, bytes) => channel.send(tag, bytes);
  return {
    ...{ self: channel.self, peer: channel.peer, stats: channel.stats, ended: channel.ended },
    send: (tag, bytes) => change(tag, bytes, send),
    recv: (tag, length, instead) => channel.recv(tag, length, instead),
    close: () => channel.close(),
    abort: (error) => channel.abort(error),
  };
}
