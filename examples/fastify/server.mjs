// POST /classify {"text": "…"} → {"label", "score", "ms"}. This service is the data owner: it sees the texts, and the two
// parties that hold the model do not. Run it where the texts are anyway.
import Fastify from 'fastify';
import { SecureTransformer, TercetError } from 'tercet';

const model = await SecureTransformer.fromPretrained('sst2-bert', {
  deployment: process.env.DEPLOYMENT ?? 'http://127.0.0.1:8420/tercet.json',
});
const app = Fastify();

const text = { type: 'string', minLength: 1, maxLength: 2000 };
const body = { type: 'object', required: ['text'], additionalProperties: false, properties: { text } };
app.post('/classify', { schema: { body } }, async (request) => {
  const started = performance.now();
  const { label, score } = await model.classify(request.body.text);
  return { label, score, ms: Math.round(performance.now() - started) };
});

app.get('/health', async () => ({ parties: await model.health() }));

// What a caller did wrong is 400, and says what to do; no text is in an error or a log.
app.setErrorHandler((error, _request, reply) => {
  if (error instanceof TercetError)
    return reply.code(error.kind === 'usage' ? 400 : 502).send({ code: error.code, error: error.message, hint: error.hint });
  return reply.code(error.statusCode ?? 500).send({ error: error.message });
});

app.addHook('onClose', () => model.dispose());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => app.close());
console.log(await app.listen({ port: Number(process.env.PORT ?? 3001) }));
