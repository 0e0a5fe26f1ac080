/**
 * GPT-2 small at its dimensions, with random weights: what one more token costs behind a prefix, on the keys and
 * values that the parties kept, and what it would cost without them, as a run over the whole prefix and the token.
 */
import { inferJson } from './bert.ts';
import { configPath } from './accuracy.ts';
import type { SuiteContext } from './rows.ts';

const PREFIXES = [32, 128];
/** Tokens behind each prefix: the first comes from the prompt's own run, and the last step is left out. */
const NEW_TOKENS = 7;

interface Step {
  readonly preprocessMs: number;
  readonly onlineMs: number;
  readonly rounds: number;
  readonly p0SentBytes: number;
  readonly betweenBytes: number;
}

interface Result {
  readonly steps: readonly Step[];
  readonly plaintext?: { readonly maxAbsLogitError: number; readonly argmaxEqual: boolean };
  readonly memory: object;
  readonly devices: object;
}

function flags(tokens: number, newTokens: number): string[] {
  return [
    '--task',
    'text-generation',
    '--random-weights',
    '1',
    '--architecture',
    configPath('gpt2'),
    '--tokens',
    String(tokens),
    '--max-new-tokens',
    String(newTokens),
  ];
}

function mean(steps: readonly Step[]): Step {
  const of = (pick: (step: Step) => number) =>
    Math.round((10 * steps.reduce((sum, step) => sum + pick(step), 0)) / steps.length) / 10;
  return {
    preprocessMs: of((step) => step.preprocessMs),
    onlineMs: of((step) => step.onlineMs),
    rounds: of((step) => step.rounds),
    p0SentBytes: Math.round(of((step) => step.p0SentBytes)),
    betweenBytes: Math.round(of((step) => step.betweenBytes)),
  };
}

export async function benchGpt2(context: SuiteContext): Promise<void> {
  for (const prefix of PREFIXES) {
    context.note(`gpt2, prefix of ${prefix}, with kept keys and values`);
    const kept = await inferJson<Result>([...flags(prefix, NEW_TOKENS), '--compare'], context);
    // The last step deals nothing for one behind it, so it is cheaper than the others.
    const perToken = mean(kept.steps.slice(1, -1));
    const { plaintext, memory, devices } = kept;
    context.row({
      suite: 'gpt2',
      name: `gpt2/${prefix}/kept`,
      prefix,
      prompt: kept.steps[0],
      perToken,
      plaintext,
      memory,
      devices,
    });
    context.note(`gpt2, prefix of ${prefix}, without`);
    const whole = (await inferJson<Result>(flags(prefix + 1, 1), context)).steps[0];
    const ratio = (pick: (step: Step) => number) => Math.round((10 * pick(whole)) / pick(perToken)) / 10;
    context.row({
      suite: 'gpt2',
      name: `gpt2/${prefix}/whole prefix`,
      prefix,
      perToken: whole,
      timesKept: {
        onlineMs: ratio((step) => step.onlineMs),
        p0SentBytes: ratio((step) => step.p0SentBytes),
        betweenBytes: ratio((step) => step.betweenBytes),
      },
    });
  }
}
