// This version beside an older build, in turn on the same machine, kept in bench/results/cpu.json:
// `node bench/before.mjs --old FOLDER` after `npm run build` in both.
//
// CPU seconds of all parties at BERT-base dimensions for 16 and for 128 tokens: what is in both, loading the model,
// goes out in the difference. And the time of a token of GPT-2 small behind 128, on kept keys and values.
//   --old FOLDER   checkout of the older version (bf01ad1)    --runs N     of each; their mean is kept (default 2)
//   --out FILE     where rows are kept ('-': nowhere)         --tokens N   BERT-base at N tokens alone, to try it
import { execFile, execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { keepResults } from '../dist/bench/rows.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    old: { type: 'string' },
    runs: { type: 'string', default: '2' },
    tokens: { type: 'string' },
    out: { type: 'string', default: join(ROOT, 'bench/results/cpu.json') },
  },
});
if (values.old === undefined) throw new Error('--old FOLDER is missing: a built checkout of the older version');

/**
 * Tokens behind the prompt. The first is of the prompt's own run, and the last step deals nothing ahead. In the first
 * few a new process compiles its functions, at either version.
 */
const NEW_TOKENS = 15;
const PREFIX = 128;
const headOf = (folder) => execFileSync('git', ['rev-parse', '--short=7', 'HEAD'], { cwd: folder }).toString().trim();
const versions = [
  { commit: headOf(values.old), root: values.old, config: '--config' },
  { commit: headOf(ROOT), root: ROOT, config: '--architecture' },
];

/** Result and CPU seconds of a run, with all processes that it waits for. */
async function infer({ root, config }, model, flags) {
  const timed = 'TIMEFORMAT="cpu %U %S"; time "$@"';
  const configPath = join(ROOT, `bench/configs/${model}.json`);
  const run = [process.execPath, join(root, 'dist/cli/main.js'), 'infer', '--json', '--random-weights', '1'];
  const { stdout, stderr } = await promisify(execFile)(
    'bash',
    ['-c', timed, 'bash', ...run, config, configPath, ...flags],
    {
      maxBuffer: 2 ** 28,
    },
  );
  const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr);
  return { result: JSON.parse(stdout), cpuS: Number(user) + Number(system) };
}

const of = {
  bert: (tokens) => async (version) => {
    const { cpuS } = await infer(version, 'bert-base', ['--tokens', String(tokens), '--weights', 'open']);
    return cpuS;
  },
  token: async (version) => {
    const flags = ['--task', 'text-generation', '--tokens', String(PREFIX), '--max-new-tokens', String(NEW_TOKENS)];
    const { result } = await infer(version, 'gpt2', flags);
    const steps = result.steps.slice(1, -1);
    return steps.reduce((sum, { onlineMs }) => sum + onlineMs, 0) / steps.length;
  },
};
const bert = (values.tokens === undefined ? [16, 128] : [Number(values.tokens)]).map((tokens) => ({
  row: { model: 'bert-base', tokens },
  unit: 'cpuS',
  measure: of.bert(tokens),
}));
const token = { row: { model: 'gpt2', prefix: PREFIX }, unit: 'tokenMs', measure: of.token };
const measures = values.tokens === undefined ? [token, ...bert] : bert;

const command = ['node bench/before.mjs', ...process.argv.slice(2)].join(' ').replace(values.old, 'FOLDER');
const seen = new Map();
for (let run = 0; run < Number(values.runs); run++) {
  for (const { row, unit, measure } of measures) {
    for (const version of versions) {
      const key = JSON.stringify({ commit: version.commit, ...row });
      const all = [...(seen.get(key)?.all ?? []), await measure(version)];
      seen.set(key, { unit, all });
      process.stderr.write(`  ${key}: ${all.at(-1).toFixed(1)} ${unit}\n`);
      const rows = [...seen].map(([name, { unit: u, all: a }]) => ({
        ...JSON.parse(name),
        [u]: Math.round((10 * a.reduce((sum, v) => sum + v, 0)) / a.length) / 10,
        runs: a.length,
      }));
      // From the first of each on, so that what ends early has kept what it measured.
      if (values.out !== '-' && seen.size === measures.length * versions.length)
        keepResults(values.out, 'cpu', rows, command);
    }
  }
}
