/**
 * What callers send and get, once: from here come the checks of every request, their types, and the OpenAPI document.
 * Names are those of the user guide. Unknown names are refused, as everywhere.
 *
 * SECURITY: an error names a field and what it takes, and quotes nothing that came.
 */
import { z } from 'zod';
import { Problem } from './problem.ts';
import { TercetError } from '../core/errors.ts';
import { MAX_BATCH } from '../owner/batch-size.ts';
import type { Protocol } from '../owner/types/index.ts';

/** Texts of one request at most, whatever its operator allows. The server counts: it knows what is allowed. */
export const MAX_TEXTS = 64;
const MAX_LABELS = 64;
/** What a request may name, where it is served. */
export const PROTOCOLS = ['3pc_semi_honest', '3pc_malicious', 'aby3'] as const satisfies readonly Protocol[];

const text = z.string().meta({ description: 'The text. For question answering, the context.', expects: 'a text' });
const count = (most: number, description: string) =>
  z
    .int()
    .min(1)
    .max(most)
    .meta({ description, expects: `an integer from 1 to ${most}` });
const number = (least: number, most: number, description: string) =>
  z
    .number()
    .min(least)
    .max(most)
    .meta({ description, expects: `a number from ${least} to ${most}` });
const word = (description: string) =>
  z.string().min(1).max(1000).meta({ description, expects: 'a text of 1 to 1000 characters' });
const words = (description: string) =>
  z
    .array(z.string().min(1).max(1000))
    .min(1)
    .max(MAX_LABELS)
    .meta({ description, expects: `a list of 1 to ${MAX_LABELS} texts of 1 to 1000 characters` });
const yes = (description: string) => z.boolean().meta({ description, expects: 'true or false' });

export const COMMON = {
  model: z
    .string()
    .min(1)
    .max(200)
    .meta({
      description: 'A name of GET /api/v1/models. Default: the first for the task.',
      expects: 'a name of at most 200 characters',
    })
    .optional(),
  protocol: z
    .enum(PROTOCOLS)
    .meta({
      description:
        'What the parties are protected against: one of those that GET /api/v1/models lists. Default: the first of them.',
      expects: PROTOCOLS.join(', '),
    })
    .optional(),
  security_level: z
    .union([z.literal(128), z.literal(256)])
    .meta({
      description: 'The least level that proofs may have; more than this gateway runs at is refused.',
      expects: '128 or 256',
    })
    .optional(),
};
const MANY = {
  text: text.optional(),
  texts: z
    .array(z.string())
    .min(1)
    .meta({ description: 'Several texts, in place of text.', expects: 'a list of one or more texts' })
    .optional(),
};
const TOP_K = { top_k: count(1000, 'How many answers.').optional() };
const BATCH = { batch_size: count(MAX_BATCH, 'Texts in one run of the protocol.').optional() };

export const FillMask = z.strictObject({
  ...MANY,
  ...COMMON,
  ...TOP_K,
  targets: words('Only these words compete.').optional(),
});
export const TextClassification = z.strictObject({
  ...MANY,
  ...COMMON,
  ...TOP_K,
  ...BATCH,
  labels: words("Classes of the model's that compete.").optional(),
});
export const ZeroShot = z.strictObject({
  ...MANY,
  ...COMMON,
  ...TOP_K,
  ...BATCH,
  labels: words('The classes, in words.'),
  template: word('The sentence that a label completes.').optional(),
  multi_label: yes('Every label for itself; needs a model that was trained on entailment.').optional(),
});
export const QuestionAnswering = z.strictObject({
  ...COMMON,
  ...TOP_K,
  question: z.string().meta({ description: 'The question.', expects: 'a text' }),
  context: z.string().meta({ description: 'The text that answers it.', expects: 'a text' }),
});
export const TokenClassification = z.strictObject({ ...MANY, ...COMMON });
export const TextGeneration = z.strictObject({
  text,
  ...COMMON,
  max_new_tokens: count(4096, 'How many pieces to add at most.').optional(),
  max_length: count(4096, 'The same with the prompt counted.').optional(),
  temperature: number(0, 100, '0 always takes the likeliest piece.').optional(),
  top_k: count(1_000_000, 'Only so many of the likeliest pieces.').optional(),
  top_p: number(0, 1, 'Only the likeliest pieces that have this probability together.').optional(),
  repetition_penalty: number(0.01, 100, 'Above 1 pieces that were there are less likely.').optional(),
  do_sample: yes('Whether pieces are drawn.').optional(),
  stop: words('Texts that end the text.').optional(),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .meta({ description: 'Makes the same draws again.', expects: 'an integer from 0 to 4294967295' })
    .optional(),
  stream: yes('Answer with server-sent events, a piece in each.').optional(),
});
export const FeatureExtraction = z.strictObject({
  ...MANY,
  ...COMMON,
  ...BATCH,
  pooling: z
    .enum(['mean', 'cls', 'none'])
    .meta({ description: 'Default: what the model declares.', expects: 'mean, cls or none' })
    .optional(),
  normalize: yes('Vectors of length one.').optional(),
});

const Score = z.number().meta({ description: '0 to 1.' });
const Label = z.object({ label: z.string(), score: Score });
const Span = { start: z.int(), end: z.int() };

/** Answers, without what every one has. */
export const FillMaskAnswer = z.object({
  predictions: z.array(z.object({ token: z.string(), score: Score, sequence: z.string() })),
  blanks: z.array(z.array(z.object({ token: z.string(), score: Score }))).optional(),
});
export const ClassificationAnswer = z.object({ label: z.string(), confidence: Score, labels: z.array(Label) });
export const QuestionAnswer = z.object({
  answer: z.string(),
  confidence: Score,
  ...Span,
  answers: z.array(z.object({ answer: z.string(), score: Score, ...Span })),
});
export const EntitiesAnswer = z.object({
  entities: z.array(z.object({ text: z.string(), label: z.string(), score: Score, ...Span })),
});
export const GenerationAnswer = z.object({
  text: z.string(),
  generated_text: z.string(),
  reason: z.enum(['eos', 'length', 'stop']),
});
export const VectorAnswer = z.object({ dims: z.array(z.int()).length(2), data: z.array(z.number()) });

/** What every answer has. */
export const EveryAnswer = z.object({
  model: z.string(),
  task: z.string(),
  protocol: z.enum(PROTOCOLS).meta({ description: 'What answered.' }),
  request_id: z.string(),
  processing_time: z.number().meta({ description: 'Seconds, from the call to the answer.' }),
  cost: z.object({
    runs: z.int(),
    tokens: z.int(),
    padded_tokens: z.int().meta({ description: 'What the compute parties learn of the length.' }),
    rounds: z.int(),
    sent_bytes: z.int().meta({ description: 'Of this gateway.' }),
    prepared_ahead: z.boolean(),
    proofs: z
      .object({
        messages: z.int().meta({ description: 'That were proved before the answer opened.' }),
        bytes: z.int(),
        soundness: z.number().meta({ description: 'log2 of what a wrong run is accepted with at most.' }),
      })
      .optional()
      .meta({ description: 'Of runs of 3pc_malicious and aby3.' }),
  }),
});
export const ProblemAnswer = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  hint: z.string(),
  request_id: z.string(),
  party: z.int().optional(),
});
export const ModelsAnswer = z.object({
  models: z.array(
    z.object({
      id: z.string(),
      task: z.string(),
      max_tokens: z.int(),
      labels: z.array(z.string()),
      device: z.string(),
      protocols: z.array(z.enum(PROTOCOLS)).meta({ description: 'What a request may name; the first is the default.' }),
    }),
  ),
});

/** Reads a body. @throws {TercetError} ERR_ARGUMENT naming the field; {Problem} for what is no object */
export function readBody<T extends z.ZodObject>(schema: T, body: unknown): z.infer<T> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw Problem.own('ERR_BODY');
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const [field] = issue.path;
  const fields = Object.keys(schema.shape);
  if (issue.code === 'unrecognized_keys' || typeof field !== 'string')
    throw new TercetError('ERR_ARGUMENT', 'the body has a field that is not known', `fields are ${fields.join(', ')}`);
  throw new TercetError('ERR_ARGUMENT', `${field} expected ${expected(schema, field)}`, 'see /openapi.json');
}

function expected(schema: z.ZodObject, field: string): string {
  const known = schema.shape[field] as z.ZodType | undefined;
  const type = known instanceof z.ZodOptional ? (known.unwrap() as z.ZodType) : known;
  return String(type?.meta()?.['expects'] ?? 'another value');
}
