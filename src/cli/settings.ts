/** Settings of a command from `--config FILE` and the environment, in place of the flags that the user did not give. */
import type { Command } from 'commander';
import { takesSettings } from '../config/commands.ts';

export const CONFIG_HELP = 'settings of this command, a YAML file (see tercet config schema)';

/**
 * Gives a command what the file and the environment set. A flag that the user typed wins over both.
 * @param say where what changes nothing is said
 * @throws {TercetError} what `readConfig` throws
 */
export async function applyConfig(
  command: Command,
  environment: NodeJS.ProcessEnv,
  say: (line: string) => void,
): Promise<void> {
  const name = command.name();
  // `tercet config` reads them itself, and tells more than this.
  if (command.parent?.name() === 'config') return;
  const file = command.getOptionValue('config') as string | undefined;
  // Where nothing is set, what reads settings is not loaded: it is a third of a command's start.
  if (file === undefined && !Object.keys(environment).some((variable) => variable.startsWith('MPC_'))) return;
  const [{ told }, { readConfig }] = await Promise.all([
    import('../config/effective.ts'),
    import('../config/read-node.ts'),
  ]);
  const inForce = readConfig(file, environment);
  const { flags, variables, notices } = told(inForce, takesSettings(name) ? name : undefined, `tercet ${name}`);
  for (const [flag, { value, source }] of flags)
    if (command.getOptionValueSource(flag) !== 'cli') command.setOptionValueWithSource(flag, value, source);
  for (const [variable, value] of variables) environment[variable] = value;
  for (const notice of notices) say(notice);
}
