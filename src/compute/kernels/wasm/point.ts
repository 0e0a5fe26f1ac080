// Distributed point functions in the memory of an instance.
import { type Words, zeros } from '../../ring.ts';
import { DPF_LEVEL, DPF_ROOT } from '../point-key.ts';
import { type Memory, up } from './memory.ts';

/** Words [from, to) of the expansion of a key. Level by level; only the nodes above the range. */
export function expandPoint(memory: Memory, key: Uint8Array, depth: number, from: number, to: number): Words {
  if (to <= from) return zeros(0, 64);
  return memory.run(() => {
    const k = memory.copy(key);
    const widest = 2 * up(to - from + 2, 4) + 16;
    const seeds = [memory.take(16 * widest), memory.take(16 * widest)];
    const bits = [memory.take(4 * widest), memory.take(4 * widest)];
    // The tweak must be aligned; the corrections may lie anywhere.
    const tweak = memory.copy(key.slice(16, 32));
    memory.write(seeds[0], key.slice(0, 16));
    memory.write(bits[0], Uint32Array.of(key[32]));
    let start = 0;
    let [source, source_bits] = [seeds[0], bits[0]];
    for (let level = 0; level < depth; level++) {
      const below = 2 ** (depth - level);
      const first = Math.floor(from / below);
      const nodes = Math.floor((to - 1) / below) + 1 - first;
      const next = (level + 1) % 2;
      const skip = first - start;
      memory.exports.point_level(
        ...[
          source + 16 * skip,
          source_bits + 4 * skip,
          seeds[next],
          bits[next],
          nodes,
          tweak,
          level,
          k + DPF_ROOT + DPF_LEVEL * level,
        ],
      );
      start = 2 * first;
      [source, source_bits] = [seeds[next], bits[next]];
    }
    const skip = from - start;
    const last = memory.word64(k + DPF_ROOT + DPF_LEVEL * depth);
    const out = memory.take(8 * up(to - from, 4));
    memory.exports.point_leaves(
      source + 16 * skip,
      source_bits + 4 * skip,
      out,
      to - from,
      tweak,
      depth,
      last,
      key[32],
    );
    return memory.read(out, 64, to - from);
  });
}
