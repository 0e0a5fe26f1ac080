/** States and events that several tests of the app start from. */
import { reduce } from '../../src/app/reduce.ts';
import { type AppEvent, INITIAL, type State } from '../../src/app/state.ts';
import type { Links, PredictResult } from '../../src/owner/types/index.ts';
import { DEPLOYMENT } from '../../dev/scripted/scripted.ts';

export function stateAfter(...events: readonly AppEvent[]): State {
  return events.reduce(reduce, INITIAL);
}

export function links(ahead: number, input = 0, rounds = 0, output = 0): Links {
  return {
    p1: { ahead, input, output },
    p2: { ahead: 9 * ahead, input, output: 0 },
    between: { bytes: rounds * 1000, rounds, totalRounds: 96 },
  };
}

export const LOADED: readonly AppEvent[] = [
  { type: 'deployed', deployment: DEPLOYMENT },
  { type: 'load' },
  {
    type: 'loaded',
    model: { id: 'bert-base-uncased', device: 'webgpu', layers: 4, maxTokens: 128, downloadedBytes: 600_000 },
  },
];

export const PREPARED: readonly AppEvent[] = [
  { type: 'prepare', length: 16, now: 0 },
  {
    type: 'progress',
    now: 1,
    event: {
      status: 'preprocess',
      length: 16,
      progress: 1,
      links: links(2e6),
      done: true,
      ahead: true,
      sample: ['aa'.repeat(30), 'bb'.repeat(30)],
    },
  },
  { type: 'prepared', now: 900 },
];

export function predicted(preparedAhead: boolean): PredictResult {
  const best = { token: 'paris', token_str: ' paris', token_id: 7, score: 0.417, sequence: '' };
  return {
    predictions: [best],
    blanks: [[best]],
    cost: {
      tokens: 9,
      paddedTokens: 16,
      links: links(2e6, 98_000, 96, 244_000),
      onlineRounds: 1,
      sentBytes: [21e6, 1, 1],
      receivedBytes: [250_000, 1, 1],
      peakMemoryBytes: [0, 0, 0],
      devices: ['webgpu', 'wasm', 'wasm'],
      timing: { prepareMs: 5900, inputMs: 40, computeMs: 3200, outputMs: 60, totalMs: 3300 },
      preparedAhead,
    },
    captured: {
      tokens: [{ text: 'paris', id: 7, p1: '11'.repeat(8), p2: '22'.repeat(8) }],
      sum: {
        index: 0,
        words: ['0'.repeat(16), '0'.repeat(15).concat('1')],
        otherId: 8,
        otherWords: ['0'.repeat(16), '0'.repeat(16)],
      },
      histograms: { text: [], p1: [], p2: [] },
    },
  };
}
