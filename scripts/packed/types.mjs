// What TypeScript makes of the installed package, in every way that it resolves packages.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const CONSUMER = `
import { type Model, type Pipeline, type TokenOutput, SecureTransformer, TercetError, pipeline } from 'tercet';
import type { WidgetAnswer, WidgetAttributes } from 'tercet/widget';

export async function use(): Promise<string> {
  const model: Model = await SecureTransformer.fromPretrained('sst2-bert', { deployment: '/tercet.json' });
  const classify: Pipeline<'text-classification'> = await pipeline('sentiment-analysis', 'sst2-bert');
  const [{ label, score }] = await classify('A film.', { topk: 1 });
  const names = await pipeline('ner', 'wnut-roberta');
  const found: TokenOutput[] = await names('Ann', { aggregation_strategy: 'first' });
  const vectors = await (await pipeline('feature-extraction', 'X-vectors'))(['a', 'b'], { pooling: 'mean' });
  const rows: readonly number[] = vectors.dims;
  const card = document.querySelector('tercet-infer');
  card?.addEventListener('result', ({ detail }) => {
    const answer: WidgetAnswer | undefined = detail.answer;
    void answer;
  });
  const attributes: WidgetAttributes = { model: 'sst2-bert', task: 'text-classification' };
  // @ts-expect-error a task that there is not: the types are there, and are not \`any\`
  await pipeline('translation', 'x');
  // @ts-expect-error an option that there is not
  await classify('x', { top: 1 });
  void [model, score, found, rows, attributes];
  return new TercetError('ERR_ARGUMENT', label, 'say what to do').code;
}
`;
const MODES = [
  ['node16', { module: 'node16', moduleResolution: 'node16' }],
  ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
  ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
  ['bundler for browsers', { module: 'esnext', moduleResolution: 'bundler', customConditions: ['browser'] }],
];
const STRICT = {
  strict: true,
  noEmit: true,
  target: 'es2023',
  lib: ['es2023', 'dom', 'dom.iterable'],
  types: [],
  exactOptionalPropertyTypes: true,
};

/** Checks of a folder where the package is installed. @param tsc the compiler's program */
export function typeChecks(folder, tsc) {
  return MODES.map(([name, options]) => [
    `types under ${name}`,
    () => {
      const place = join(folder, 'types', name.replaceAll(' ', '-'));
      mkdirSync(place, { recursive: true });
      writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
      writeFileSync(join(place, 'consumer.ts'), CONSUMER);
      const compilerOptions = { ...STRICT, ...options };
      writeFileSync(join(place, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['consumer.ts'] }));
      const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', place], { encoding: 'utf8' });
      if (status !== 0) throw new Error(stdout);
    },
  ]);
}
