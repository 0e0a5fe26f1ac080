/** docs/CONFIGURATION.md, from the one schema. */
import { SETTINGS } from '../../src/config/schema.ts';

const HEAD = `# Configuration

<!-- From src/config/schema.ts: after a change there, run \`npx vitest run --project unit test/config -u\`. -->

\`tercet infer\`, \`party\`, \`dealer\` and \`serve\` take settings from a YAML file (\`--config FILE\`), from \`MPC_…\`
variables, and from flags. A variable wins over the file, a flag over both.

\`\`\`yaml
# tercet.yaml
security:
  protocol: 3pc_semi_honest
performance:
  worker_threads: 4
  memory_limit: 20GB
networking:
  port: 8001
  timeout: 30
models:
  preload_models:
    - models/capitals-bert
    - models/sst2-bert
\`\`\`

\`\`\`sh
npm run -s tercet -- config check --config tercet.yaml --for party
MPC_WORKER_THREADS=2 npm run -s tercet -- party --party-id 1 --config tercet.yaml
npm run -s tercet -- config schema > tercet.schema.json
\`\`\`

\`config check\` prints every setting with its value and who set it; secrets are left out. Unknown names, wrong types
and contradictions are refused before anything starts. A setting that changes nothing says why, when a command starts.
The variable of a secret has a second form that ends in \`_FILE\`: it names a file that only its owner can read.

Security is never less than what was asked for. These are refused in this version: \`tls_enabled: false\` and
\`differential_privacy: true\`. \`security_level: 256\` is of
\`3pc_malicious\` and \`aby3\`, and refused by commands that ask for no runs.

In Node \`MpcCoordinator\`, and \`DataOwnerParty\` with \`peers\`, take \`config: 'tercet.yaml'\`: the file, then the variables,
then what the code gives, which wins over both. Otherwise the SDK takes options of its calls alone, and refuses
\`MPC_…\` variables instead of dropping them.
`;

const cell = (text: string) => text.replaceAll('|', '\\|');
const kebab = (flag: string) => `--${flag.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** Where a setting has an effect. */
function effect({ flags, inert, variable, checked }: (typeof SETTINGS)[number]['meta']): string {
  if (inert !== undefined) return `none: ${inert}`;
  if (variable !== undefined) return 'every command';
  const takes = Object.entries(flags ?? {}).map(([command, flag]) => `\`${command} ${kebab(flag)}\``);
  return [...(checked === true ? ['checked by every command'] : []), ...takes].join(', ');
}

export function configurationPage(): string {
  const sections = [...new Set(SETTINGS.map(({ path }) => path.split('.')[0]))];
  const tables = sections.map((section) => {
    const rows = SETTINGS.filter(({ path }) => path.startsWith(`${section}.`)).map(({ path, meta }) => {
      const variable = `\`${meta.env}\`${meta.secret === true ? ` or \`${meta.env}_FILE\`` : ''}`;
      return [
        `\`${path.slice(section.length + 1)}\``,
        variable,
        meta.description,
        meta.expects,
        meta.standard,
        effect(meta),
      ];
    });
    const lines = [
      ['setting', 'variable', 'what it does', 'value', 'default', 'effect'],
      Array.from({ length: 6 }, () => '---'),
      ...rows,
    ];
    return `## ${section}\n\n${lines.map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n')}\n`;
  });
  return `${HEAD}\n${tables.join('\n')}`;
}
