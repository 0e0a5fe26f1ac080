// The examples that are programs: each is run as its README says, and what it prints is read.
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { start } from './parties.mjs';

const run = promisify(execFile);

async function output(cwd, file, env) {
  return (await run(process.execPath, [file], { cwd, env: { ...process.env, ...env }, timeout: 180_000 })).stdout;
}

function expect(text, ...patterns) {
  for (const pattern of patterns) if (!pattern.test(text)) throw new Error(`${pattern} is not in: ${text}`);
}

export const PROGRAMS = {
  'node-script': async ({ world, deployment }) =>
    expect(
      await output(join(world, 'node-script'), 'index.mjs', { DEPLOYMENT: deployment }),
      /^POSITIVE 0\.\d+ {2}A warm, funny film\.$/m,
      /^NEGATIVE 0\.\d+ {2}Two hours/m,
      /^2 texts, \d+ rounds/m,
    ),
  notebook: async ({ world, installed, place }) => {
    const program = ['dist/cli/main.js', 'models/sst2-bert'].map((path) => join(installed, path));
    const gateway = await start([program[0], 'serve', '--port', '0', '--device', 'wasm', '--model', program[1]], {
      cwd: place,
      until: /(http:\/\/127\.0\.0\.1:\d+)/,
      env: { TERCET_HOME: join(place, 'gateway') },
    });
    try {
      const chart = hasPython('matplotlib');
      const cells = cellsOf(join(world, 'notebook/sentiment.ipynb'), chart ? [] : ['matplotlib']);
      const env = { ...process.env, GATEWAY: gateway.found[1], MPLBACKEND: 'agg' };
      const { stdout } = await run('python3', ['-c', cells.join('\n\n')], { env, timeout: 180_000 });
      expect(stdout, /^POSITIVE 0\.\d+ {2}Great/m, /^NEGATIVE 0\.\d+ {2}Terrible/m);
      return chart ? undefined : 'without the chart: this Python has no matplotlib';
    } finally {
      await gateway.stop();
    }
  },
  fastify: async ({ world, deployment }) => {
    const server = await start(['server.mjs'], {
      cwd: join(world, 'fastify'),
      until: /(http:\/\/\S+:\d+)/,
      env: { DEPLOYMENT: deployment, PORT: '0' },
    });
    try {
      const post = async (body) => {
        const headers = { 'content-type': 'application/json' };
        const answer = await fetch(`${server.found[1]}/classify`, {
          method: 'POST',
          headers,
          body: JSON.stringify(body),
        });
        return `${answer.status} ${await answer.text()}`;
      };
      expect(await post({ text: 'A warm, funny film.' }), /^200 \{"label":"POSITIVE","score":0\.\d+,"ms":\d+\}$/);
      expect(await post({ text: 'word '.repeat(390) }), /^400 .*"ERR_TOO_MANY_TOKENS".*"hint"/);
      expect(await post({ words: 1 }), /^400 /);
      expect(await (await fetch(`${server.found[1]}/health`)).text(), /"parties":\[/);
    } finally {
      await server.stop();
    }
  },
  'two-hosts': async ({ world, place }) => {
    const { hosts, remove, why } = await machines(place);
    if (hosts === undefined) return `on one machine alone, ${why}`;
    try {
      const env = {
        ON1: hosts[0].prefix.join(' '),
        HOST1: hosts[0].address,
        ON2: hosts[1].prefix.join(' '),
        HOST2: hosts[1].address,
        ON0: hosts[2].prefix.join(' '),
        ...Object.fromEntries([0, 1, 2].map((id) => [`HOME${id}`, join(place, `host-${id}`)])),
        TERCET: join(world, 'node_modules/.bin/tercet'),
      };
      expect(await output(join(world, 'two-hosts'), 'run.mjs', env), /^The capital of Norway is oslo \(0\.\d+\)$/m);
    } finally {
      remove();
    }
    return 'three hosts in network namespaces';
  },
};

/** Code of a notebook, without cells that have one of these tags. */
function cellsOf(path, without) {
  const { cells } = JSON.parse(readFileSync(path, 'utf8'));
  const code = cells.filter(({ cell_type: type }) => type === 'code');
  return code
    .filter(({ metadata: { tags = [] } }) => !tags.some((tag) => without.includes(tag)))
    .map(({ source }) => source.join(''));
}

const hasPython = (module) => spawnSync('python3', ['-c', `import ${module}`]).status === 0;

/** Three machines, as the measurements have them; why there are none where they cannot be made. */
async function machines(place) {
  const { HOSTS, network, openShaper } = await import('../../bench/netns/network.mjs');
  try {
    return { hosts: HOSTS, remove: await network(openShaper(place), 10) };
  } catch (error) {
    return {
      why: `because network namespaces need Linux, root, iproute2 and tc or rustc: ${error.message.split('\n')[0]}`,
    };
  }
}
