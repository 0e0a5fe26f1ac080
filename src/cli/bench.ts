/** `tercet bench`: suites of measurements, as rows in the units of the JSON contract. */
import { Command } from 'commander';

export function benchCommand(): Command {
  return new Command('bench').description('measure').option('--suite <name>', 'suite').action(async () => {});
}
