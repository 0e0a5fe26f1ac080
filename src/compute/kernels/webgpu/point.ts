/** expandPoint: the tree of a distributed point function, a few levels per dispatch. */
import { invariant } from '../../../core/errors.ts';
import { DPF_LEVEL, DPF_ROOT, pointKeyBytes } from '../point-key.ts';
import type { DeviceVector } from './arena.ts';
import { type Call, groupsOf } from './call.ts';
import { BLOCK_WORK } from './limits.ts';
import type { Block } from './pool.ts';

/** Levels that a dispatch walks at most: as many corrections fit its parameters. */
const LEVELS = 8;
/** Bytes of a node: seed and bit. */
const NODE = 20;

/**
 * Levels of each dispatch, from the root. An invocation walks from an ancestor on its own, so a level walked costs
 * one block for every node it ends at: two levels before the leaves, five above them (of which there are a
 * quarter), then as many as fit. About four blocks a leaf; level by level it would be three, in `depth` dispatches.
 */
function walks(depth: number): number[] {
  const out: number[] = [];
  let rest = depth;
  for (const most of [2, 5]) {
    const steps = Math.min(rest, most);
    if (steps > 0 || out.length === 0) out.unshift(steps);
    rest -= steps;
  }
  for (; rest > 0; rest -= Math.min(rest, LEVELS)) out.unshift(Math.min(rest, LEVELS));
  return out;
}

/** Four little-endian u32 at a byte. */
function words(key: DataView, at: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => key.getUint32(at + 4 * i, true));
}

export function expandPoint(call: Call, key: Uint8Array, depth: number, count: number): DeviceVector {
  invariant(key.length >= pointKeyBytes(depth) && count <= 2 ** depth, 'expandPoint: the key does not fit the domain');
  const view = new DataView(key.buffer, key.byteOffset, key.byteLength);
  const { vector, out } = call.result(64, count);
  const [root, tweak, party] = [words(view, 0, 4), words(view, 16, 4), key[32]];
  const last = words(view, DPF_ROOT + DPF_LEVEL * depth, 2);
  let parents: Block | undefined;
  let level = 0;
  for (const steps of walks(depth)) {
    const to = level + steps;
    const leaf = to === depth;
    const nodes = Math.ceil(count / 2 ** (depth - to));
    const made: Block = leaf ? out.block : call.scratch(NODE * nodes);
    const fix = Array.from({ length: LEVELS }, (_, s) =>
      s < steps ? words(view, DPF_ROOT + DPF_LEVEL * (level + s), 4) : [0, 0, 0, 0],
    ).flat();
    const flips = Array.from({ length: LEVELS }, (_, s) =>
      s < steps ? key[DPF_ROOT + DPF_LEVEL * (level + s) + 16] : 0,
    );
    for (const [first, end] of call.pieces(nodes, NODE, 64, call.blocks / (steps + 1))) {
      // 64 nodes are a multiple of 256 bytes.
      const from = Math.floor((first >> steps) / 64) * 64;
      // The root is among the parameters; its dispatch reads no parents, and binds what it has.
      const above =
        parents === undefined
          ? call.range(call.scratch(NODE), 0, NODE)
          : call.range(parents, NODE * from, NODE * (((end - 1) >> steps) + 1));
      const bytes = leaf ? 8 : NODE;
      call.run({
        shader: 'point',
        wide: false,
        constants: { LEAF: Number(leaf), ROOT: Number(parents === undefined) },
        params: [...tweak, ...root, ...fix, ...flips, ...last, party, level, end - first, first, steps, from],
        bindings: [above, call.range(made, first * bytes, end * bytes)],
        groups: groupsOf(end - first),
        work: BLOCK_WORK * (steps + 1) * (end - first),
      });
    }
    parents = made;
    level = to;
  }
  return vector;
}
