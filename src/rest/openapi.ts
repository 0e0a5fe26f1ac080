/** The OpenAPI 3.1 document, from the schemas that requests are checked by. */
import { z } from 'zod';
import { OPERATIONS } from './operations.ts';
import { STATUSES } from './problem.ts';
import { EveryAnswer, ModelsAnswer, ProblemAnswer } from './schemas.ts';

/** What its operator and every caller must know first. */
export const TRUST =
  "This server is the data owner's party: it reads every text and answer. Run it inside the trust domain of those whose texts they are; the two compute parties see neither.";

type Json = Readonly<Record<string, unknown>>;

/** JSON Schema (2020-12, as OpenAPI 3.1 has it), without what errors alone say. */
function schemaOf(type: z.ZodType): Json {
  const schema = z.toJSONSchema(type, {
    override: ({ jsonSchema }) => {
      delete (jsonSchema as Record<string, unknown>)['expects'];
    },
  });
  const { $schema: _, ...rest } = schema as Json & { $schema?: unknown };
  return rest;
}

const json = (schema: Json) => ({ 'application/json': { schema } });
const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` });

/** `fill-mask` → `FillMask`. */
const named = (name: string) => name.replaceAll(/(?:^|-)(\w)/g, (_all, letter: string) => letter.toUpperCase());

const problem = (description: string): Json => ({
  description,
  content: { 'application/problem+json': { schema: ref('Problem') } },
});

function failures(): Json {
  const statuses = [...new Set(STATUSES.map(([, status]) => status))].sort((a, b) => a - b);
  const codes = (status: number) => STATUSES.filter(([, of]) => of === status).map(([code]) => code);
  return {
    ...Object.fromEntries(statuses.map((status) => [String(status), problem(codes(status).join(', '))])),
    '500': problem('a failure of this server'),
    '502': problem('a party failed, or did not prove who it is'),
  };
}

/** The schema of a request, with as many texts as are taken here. */
function requestSchema(type: z.ZodObject, texts: number): Json {
  const schema = schemaOf(type);
  const properties = schema['properties'] as Readonly<Record<string, Json>>;
  if (!('texts' in type.shape)) return schema;
  return { ...schema, properties: { ...properties, texts: { ...properties['texts'], maxItems: texts } } };
}

/**
 * @param version of Tercet
 * @param limits of the server that answers
 */
export function openApi(version: string, { texts }: { readonly texts: number }): Json {
  const schemas: Record<string, Json> = { Problem: schemaOf(ProblemAnswer), Models: schemaOf(ModelsAnswer) };
  for (const { name, request, answer } of OPERATIONS) {
    schemas[`${named(name)}Request`] = requestSchema(request, texts);
    const one = { allOf: [schemaOf(EveryAnswer), schemaOf(answer)] };
    const many = z.object({ results: z.array(answer) });
    schemas[`${named(name)}Answer`] =
      'texts' in request.shape ? { anyOf: [one, { allOf: [schemaOf(EveryAnswer), schemaOf(many)] }] } : one;
  }
  const post = (summary: string, id: string, names: readonly string[], streams: boolean): Json => {
    const of = (kind: string) =>
      names.length === 1
        ? ref(`${named(names[0])}${kind}`)
        : { anyOf: names.map((name) => ref(`${named(name)}${kind}`)) };
    const events = { 'text/event-stream': { schema: { type: 'string' } } };
    return {
      post: {
        operationId: id,
        summary,
        requestBody: { required: true, content: json(of('Request')) },
        responses: {
          '200': { description: 'The answer.', content: { ...json(of('Answer')), ...(streams ? events : {}) } },
          ...failures(),
        },
      },
    };
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Tercet gateway', version, description: TRUST, license: { name: 'Apache-2.0' } },
    jsonSchemaDialect: 'https://json-schema.org/draft/2020-12/schema',
    security: [{ key: [] }, {}],
    paths: {
      '/api/v1/inference': post(
        "Whatever the model's own task is.",
        'inference',
        OPERATIONS.map(({ name }) => name),
        true,
      ),
      ...Object.fromEntries(
        OPERATIONS.map(({ name, summary }) => [
          `/api/v1/${name}`,
          post(summary, named(name), [name], name === 'text-generation'),
        ]),
      ),
      '/api/v1/models': {
        get: {
          operationId: 'models',
          summary: 'The models that are served.',
          responses: { '200': { description: 'The list.', content: json(ref('Models')) }, '401': problem('ERR_KEY') },
        },
      },
    },
    components: { schemas, securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
  };
}
