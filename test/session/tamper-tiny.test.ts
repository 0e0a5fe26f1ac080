/**
 * Tasks of the tamper matrix on tiny models: each is of the architecture and head of the model that ships for its task,
 * and is run as any program runs it. What a cheater changes goes unnoticed where nothing is proved, in every one.
 */
import { describe, expect, it } from 'vitest';
import { tampered } from '../../src/bench/tamper/cell.ts';
import { askedOf } from '../../src/bench/tamper/models.ts';
import { World, engines } from '../../src/bench/tamper/world.ts';
import { TASKS } from '../../src/ml/tasks/table.ts';

const on = await engines();
const change = { cheater: 1, to: 2, message: 'select-12', change: 'all' } as const;

describe.each(TASKS)('%s', (task) => {
  const family = `tiny-${task}` as const;

  it('is on a model of one layer, of the kind that ships for it', async () => {
    const { source, shape } = await askedOf(family);
    const { modelType, head, layers, hiddenSize } = source.config;
    const shipped = (await askedOf(task)).source.config;
    expect({ modelType, head }).toEqual({ modelType: shipped.modelType, head: shipped.head });
    expect({ layers, hiddenSize }).toEqual({ layers: 1, hiddenSize: 4 });
    // Behind the first token two more, on kept keys and values.
    expect(shape.steps).toBe(task === 'text-generation' ? 2 : 0);
  });

  it.each(['open', 'secret'] as const)('answers with %s weights, and no party sees another table', async (weights) => {
    const world = await World.make('3pc_semi_honest', weights, family, on);
    const normal = await world.normal();
    expect(normal.errors).toEqual([undefined, undefined, undefined]);
    expect(normal.logits).toBeDefined();
    const row = await tampered(world, { family, weights, ...change });
    expect(row).toMatchObject({ protocol: '3pc_semi_honest', outcome: 'accepted', error: [null, null] });
  });
});

describe('a proved task', () => {
  it('P1, another table: is caught by ERR_SECURITY_VIOLATION, and nothing opens', { timeout: 240_000 }, async () => {
    const family = 'tiny-feature-extraction';
    const world = await World.make('3pc_malicious', 'open', family, on);
    expect((await world.normal()).errors).toEqual([undefined, undefined, undefined]);
    const row = await tampered(world, { family, weights: 'open', ...change });
    expect(row).toMatchObject({ outcome: 'caught', clean: true });
    expect(row.error).toContain('ERR_SECURITY_VIOLATION');
    expect(row.phase).toContain('proof');
  });
});
